import { dataflow } from 'millrace/graph'
import { postgresSink, postgresSource } from 'millrace/postgres'

interface Reading {
  readonly sensor: string
  readonly celsius: number
}

interface Database {
  readonly url: string
  readonly queue: string
  readonly latest: string
}

/** Readings of a queue become the latest reading of each sensor. */
export function makeLatest({ url, queue, latest }: Database) {
  return dataflow<Database>('readings', import.meta.url)
    .source('readings', postgresSource<Reading>({ url, table: queue, channel: queue }))
    .transform('convert', {
      map: ({ sensor, celsius }: Reading) => ({ sensor, fahrenheit: celsius * 1.8 + 32 }),
    })
    .sink('latest', postgresSink({ url, table: latest, key: ['sensor'] }))
    .connect('readings', 'convert')
    .connect('convert', 'latest')
}
