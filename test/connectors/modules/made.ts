/** Graphs of one source, whose records are what a test reads. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { type Context, dataflow, type GraphData, type SourceOptions } from 'millrace'
import { type CronOptions, cronSource } from 'millrace/cron'
import { type CsvSourceOptions, csvSource } from 'millrace/csv'
import { type TailOptions, tailSource } from 'millrace/files'
import { ndjsonSink, ndjsonSource, type NdjsonSourceOptions } from 'millrace/ndjson'

interface Made {
  readonly options: object
}

function read(name: string, source: SourceOptions<any, any>): GraphData {
  return dataflow(name, import.meta.url)
    .source('in', source)
    .sink('out', {})
    .connect('in', 'out')
}

export const readCsv = ({ options }: Made): GraphData => read('read-csv', csvSource(options as CsvSourceOptions))
export const readTail = ({ options }: Made): GraphData => read('read-tail', tailSource(options as TailOptions))
export const readTicks = ({ options }: Made): GraphData => read('read-ticks', cronSource(options as CronOptions))
export const readLines = ({ options }: Made): GraphData =>
  read('read-lines', ndjsonSource(options as NdjsonSourceOptions))

/** Bytes that come from somewhere, in chunks that cut characters and lines. */
export const readStream = ({ options }: Made): GraphData =>
  read(
    'read-stream',
    ndjsonSource({
      open: async function* (offset: number) {
        const bytes = Buffer.from((options as { text: string }).text).subarray(offset)
        for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3)
      },
    }),
  )

export const writeLines = ({ options }: Made): GraphData =>
  dataflow('write-lines', import.meta.url)
    .source('in', { push: true })
    .sink('out', ndjsonSink(options as { path: string }))
    .connect('in', 'out')

/** A sink whose worker dies between its write and its ack, so many times; `deaths` counts them. */
export const writeAndDie = ({ options }: Made): GraphData => {
  const { times, deaths, ...rest } = options as { times: number; deaths: string; path: string; mode: 'append' }
  const sink = ndjsonSink(rest)
  const write = sink.write as (records: any[], context: Context<any>) => Promise<void>
  return dataflow('write-and-die', import.meta.url)
    .source('in', { push: true, chunk: 1 })
    .sink('out', {
      ...sink,
      batch: { size: 4, timeoutMs: 1_000 },
      async write(records, context) {
        await write(records, context)
        if (existsSync(deaths) && readFileSync(deaths).length >= times) return
        appendFileSync(deaths, '.')
        process.exit(1)
      },
    })
    .connect('in', 'out')
}
