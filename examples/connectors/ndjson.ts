import { csvSink } from 'millrace/csv'
import { dataflow } from 'millrace/graph'
import { ndjsonSource } from 'millrace/ndjson'

interface Paths {
  readonly input: string
  readonly output: string
}

interface Request {
  readonly path: string
  readonly status: number
  readonly ms: number
}

/** Requests of a log that failed, as rows of a table. A process that is started again goes on where this one was. */
export function makeFailures({ input, output }: Paths) {
  return dataflow<Paths>('failures', import.meta.url)
    .source('log', ndjsonSource<Request>({ path: input, cursorFile: `${input}.cursor` }))
    .transform('failed', { filter: ({ status }: Request) => status >= 500 })
    .sink('table', csvSink<Request>({ path: output, mode: 'append', columns: ['path', 'status', 'ms'] }))
    .connect('log', 'failed')
    .connect('failed', 'table')
}
