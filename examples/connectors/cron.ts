import { cronSource, type Tick } from 'millrace/cron'
import { dataflow } from 'millrace/graph'
import { ndjsonSink } from 'millrace/ndjson'

interface Schedule {
  readonly cron: string
  readonly output: string
}

/** Writes down what memory the process has, by a schedule. */
export function makeMemoryLog({ cron, output }: Schedule) {
  return dataflow<Schedule>('memory', import.meta.url)
    .source('ticks', cronSource({ cron, timeZone: 'Europe/Berlin' }))
    .transform('measure', {
      map: ({ at }: Tick) => ({ at: new Date(at).toISOString(), bytes: process.memoryUsage.rss() }),
    })
    .sink('log', ndjsonSink({ path: output, mode: 'append' }))
    .connect('ticks', 'measure')
    .connect('measure', 'log')
}
