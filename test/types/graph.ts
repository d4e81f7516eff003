/** What must compile and what must not. The compiler is the test: an unused `@ts-expect-error` fails the build. */
import { dataflow, run } from 'millrace'

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

const counted = dataflow<{ readonly from: number }>('counted', import.meta.url)
  .source('numbers', {
    produce: function* ({ params }) {
      yield params.from
    },
  })
  .conditional('side', { route: (n: number, { params }) => (n > params.from ? 'a' : 'b') })
  .sink('none', {
    setup: ({ params }) => params.from,
    write: (n: number, { state, params }) => void (state - params.from - n),
  })
  .connect('numbers', 'side')
  .connect('side', 'none', { when: 'a' })

void (() => run(counted, { params: { from: 1 } }))
// @ts-expect-error the graph needs params
void (() => run(counted))
// @ts-expect-error other ones
void (() => run(counted, { params: { from: '1' } }))
const makeCounted = (params: { readonly from: number }) => (params.from > 0 ? counted : counted)
void (() => run(makeCounted, { params: { from: 1 } }))
// @ts-expect-error the function needs params
void (() => run(makeCounted, {}))
void (() => run(iot, { deadlineMs: 1 }))
void (() => run(iot))
dataflow<{ readonly from: number; readonly to: number }>('outer').embed(counted, { prefix: 'in.' })
// @ts-expect-error the inner graph needs params that the outer one does not have
dataflow<{ readonly to: number }>('outer').embed(counted, { prefix: 'in.' })
