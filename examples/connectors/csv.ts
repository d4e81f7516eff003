import { csvSource } from 'millrace/csv'
import { dataflow } from 'millrace/graph'
import { ndjsonSink } from 'millrace/ndjson'

interface Paths {
  readonly input: string
  readonly output: string
}

interface Trip {
  readonly id: string
  readonly km: number
}

/** Trips of a CSV file that are longer than 10 km, as NDJSON. */
export function makeLongTrips({ input, output }: Paths) {
  return dataflow<Paths>('long-trips', import.meta.url)
    .source('rows', csvSource<Trip>({ path: input, decode: ({ id, km }) => ({ id: id!, km: Number(km) }) }))
    .transform('long', { filter: ({ km }: Trip) => km > 10 })
    .sink('lines', ndjsonSink({ path: output }))
    .connect('rows', 'long')
    .connect('long', 'lines')
}
