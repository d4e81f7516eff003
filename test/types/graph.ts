/** What must compile and what must not. The compiler is the test: an unused `@ts-expect-error` fails the build. */
import { dataflow } from 'millrace'

interface Reading {
  sensor: string
  value: number
}
declare function aggregate(readings: Reading[]): { sensor: string; mean: number }[]

const iot = dataflow('iot', import.meta.url)
  .source('sensors', {
    rate: 10_000,
    produce: function* () {
      yield '{}'
    },
  })
  .transform('parse', { concurrency: 2, latencyMs: 0.05, map: (line: string) => JSON.parse(line) as Reading })
  .conditional('valid', { route: (reading) => (reading.value > -50 ? 'yes' : 'no') })
  .buffer('queue', { capacity: 8_000 })
  .transform('window', {
    partitionBy: (reading: Reading) => reading.sensor,
    batch: { size: 500, timeoutMs: 200 },
    mapBatch: aggregate,
  })
  .sink('influx', { batch: { size: 100, timeoutMs: 50 }, write: async (rows: { mean: number }[]) => void rows.length })
  .sink('quarantine', { write: (reading) => void reading })
  .sink('numbers', { write: (value: number) => void value })
  .connect('sensors', 'parse', { dataType: 'raw line' })
  .connect('parse', 'valid')
  .connect('valid', 'queue', { when: 'yes' })
  .connect('valid', 'quarantine', { when: 'no', pathType: 'dead_letter' })
  .connect('queue', 'window')
  .connect('window', 'influx')

// @ts-expect-error what parse sends is not a number
iot.connect('parse', 'numbers')
// @ts-expect-error no such node
iot.connect('parse', 'nowhere')
// @ts-expect-error no such path type
iot.connect('parse', 'influx', { pathType: 'sometimes' })

const passed = dataflow('state')
  .source('numbers', {
    setup: async () => ({ from: 1 }),
    produce: async function* ({ state }) {
      yield { count: state.from }
    },
  })
  .transform('add', {
    setup: () => ({ step: 1 }),
    map: (record: { count: number }, { state }) => record.count + state.step,
  })
  .buffer('queue')
  .sink('keep', { write: (count: number) => void count })
  .sink('texts', { write: (text: string) => void text })
  .sink('failures', { write: (failure: { input: { count: number }; attempts: number }) => void failure })
  .connect('numbers', 'add')
  .connect('add', 'queue')
  .connect('queue', 'keep')
  .connect('add', 'failures', { pathType: 'error' })

// @ts-expect-error a buffer passes on what is sent to it: numbers
passed.connect('queue', 'texts')
// @ts-expect-error an error edge carries a failure, not the output
passed.connect('add', 'keep', { pathType: 'error' })

export const both = iot.embed(passed, { prefix: 'inner.', cluster: 'inner' }).connect('inner.queue', 'numbers')
// @ts-expect-error ids of an embedded graph have the prefix
iot.embed(passed, { prefix: 'inner.' }).connect('queue', 'keep')
