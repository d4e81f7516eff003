/** Graphs of one kind each: handlers, sources, dispatch, capacity, modules. */
import { appendFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, type GraphData, dataflow } from 'millrace'

const here = import.meta.url
/** Every handler gets these. */
export const COUNT = 300

function* numbers(count = COUNT): Generator<number> {
  for (let i = 0; i < count; i++) yield i
}

function* endless(): Generator<number> {
  for (let i = 0; ; i++) yield i
}

const later = async <T>(value: T): Promise<T> => {
  await sleep(0)
  return value
}

function through(name: string, work: object): GraphData {
  return dataflow(name, here)
    .source('numbers', { produce: () => numbers() })
    .transform('work', work)
    .sink('out')
    .connect('numbers', 'work')
    .connect('work', 'out')
}

const isEven = (n: number): boolean => n % 2 === 0
const twice = (n: number): number[] => [n, n]
const sum = (batch: number[]): number[] => [batch.reduce((a, b) => a + b, 0)]

/** Each handler kind, sync and async, by what comes out of it. */
export const [map, mapAsync] = [
  through('map', { map: (n: number) => n + 1 }),
  through('mapAsync', { map: (n: number) => later(n + 1) }),
] as const
export const [filter, filterAsync] = [
  through('filter', { filter: isEven }),
  through('filterAsync', { filter: (n: number) => later(isEven(n)) }),
] as const
export const [flatMap, flatMapAsync, flatMapGenerator, flatMapAsyncGenerator] = [
  through('flatMap', { flatMap: twice }),
  through('flatMapAsync', { flatMap: (n: number) => later(twice(n)) }),
  through('flatMapGenerator', {
    flatMap: function* (n: number) {
      yield* twice(n)
    },
  }),
  through('flatMapAsyncGenerator', {
    flatMap: async function* (n: number) {
      yield n
      yield await later(n)
    },
  }),
] as const
export const [mapBatch, mapBatchAsync, mapBatchGenerator] = [
  through('mapBatch', { batch: { size: 7 }, mapBatch: sum }),
  through('mapBatchAsync', { batch: { size: 7 }, mapBatch: (batch: number[]) => later(sum(batch)) }),
  through('mapBatchGenerator', {
    batch: { size: 7 },
    mapBatch: function* (batch: number[]) {
      yield* sum(batch)
    },
  }),
] as const
/** A sink with an edge passes on what it has written. */
const writes = (name: string, options: object): GraphData =>
  dataflow(name, here)
    .source('numbers', { produce: () => numbers() })
    .sink('work', options)
    .sink('out')
    .connect('numbers', 'work')
    .connect('work', 'out')
export const [write, writeAsync, writeBatch, writeBatchAsync] = [
  writes('write', { write: () => undefined }),
  writes('writeAsync', { write: () => later(undefined) }),
  writes('writeBatch', { batch: { size: 7 }, write: () => undefined }),
  writes('writeBatchAsync', { batch: { size: 7 }, write: () => later(undefined) }),
] as const

let polled = 0
let polledLater = 0
const sourced = (name: string, options: object): GraphData =>
  dataflow(name, here).source('numbers', options).sink('out').connect('numbers', 'out')
function take(from: number, demand: number): number[] | null {
  const size = Math.min(demand, 7, COUNT - from)
  return size === 0 ? null : Array.from({ length: size }, (_, i) => from + i)
}
export const [iterable, generator, asyncGenerator, poll, pollAsync, nodeStream, webStream] = [
  sourced('iterable', { produce: () => [...numbers()] }),
  sourced('generator', { produce: () => numbers() }),
  sourced('asyncGenerator', {
    produce: async function* () {
      for (const n of numbers()) yield await Promise.resolve(n)
    },
  }),
  sourced('poll', {
    poll: (demand: number) => {
      const batch = take(polled, demand)
      polled += batch?.length ?? 0
      return batch
    },
  }),
  sourced('pollAsync', {
    poll: async (demand: number) => {
      const batch = await later(take(polledLater, demand))
      polledLater += batch?.length ?? 0
      return batch
    },
  }),
  sourced('nodeStream', { produce: () => Readable.from(numbers()) }),
  sourced('webStream', { produce: () => ReadableStream.from(numbers()) }),
] as const

/** `{ module, export }` in the place of every handler. */
const named = (name: string): { module: string; export: string } => ({ module: './kinds-handlers.js', export: name })
export const references: GraphData = dataflow('references', here)
  .source('numbers', { produce: named('produce') })
  .transform('work', { concurrency: 2, setup: named('setup'), partitionBy: named('key'), map: named('add') })
  .conditional('parity', { route: named('parity') })
  .transform('batches', { batch: { size: 10, timeoutMs: 10, by: named('key') }, mapBatch: named('together') })
  .sink('out')
  .sink('odd')
  .connect('numbers', 'work')
  .connect('work', 'parity')
  .connect('parity', 'batches', { when: 'even' })
  .connect('parity', 'odd', { when: 'odd' })
  .connect('batches', 'out')

/** The same work, named in TypeScript as it is written. */
export const typescript: GraphData = dataflow('typescript', here)
  .source('numbers', { produce: () => numbers() })
  .transform('work', { map: { module: '../../../test/run/modules/typed.ts', export: 'negated' } })
  .sink('out')
  .connect('numbers', 'work')
  .connect('work', 'out')

const spread = (name: string, options: object, edge: object = {}): GraphData =>
  dataflow(name, here)
    .source('numbers', { produce: () => numbers() })
    .transform('work', {
      concurrency: 3,
      map: (n: number, { worker }: Context) => ({ n, worker }),
      ...options,
    })
    .sink('out')
    .connect('numbers', 'work', edge)
    .connect('work', 'out')
export const roundRobin = spread('roundRobin', { dispatch: 'roundRobin' })
export const broadcast = spread('broadcast', { dispatch: 'broadcast' })
export const selected = spread(
  'selected',
  { dispatch: 'broadcast' },
  { selector: (n: number, worker: number) => n % 3 === worker },
)

export const byTime = dataflow('byTime', here)
  .source<'in', number>('in', { push: true })
  .transform('batches', { batch: { size: 1_000, timeoutMs: 50 }, mapBatch: (batch: number[]) => [batch] })
  .sink('out')
  .connect('in', 'batches')
  .connect('batches', 'out')

/** Makes records as fast as they are taken; nobody reads them. */
const unread = (name: string, edge: object, capacity?: number): GraphData => {
  const graph = dataflow(name, here).source('numbers', { chunk: 1, produce: endless }).sink('out')
  if (capacity === undefined) return graph.connect('numbers', 'out', edge)
  return graph.buffer('queue', { capacity }).connect('numbers', 'queue').connect('queue', 'out')
}
export const demanding = unread('demanding', { maxDemand: 20, minDemand: 5 })
export const narrow = unread('narrow', { laneBytes: 1_024 })
export const buffered = unread('buffered', {}, 30)

export const fused = dataflow('fused', here)
  .source('numbers', { produce: () => numbers() })
  .transform('even', { filter: isEven })
  .transform('twice', { flatMap: twice })
  .transform('text', { map: (n: number) => `#${n}` })
  .sink('out')
  .connect('numbers', 'even')
  .connect('even', 'twice', { fuse: true })
  .connect('twice', 'text', { fuse: true })
  .connect('text', 'out')

/** Tells what it does in the file that NOTES names. */
const note = (text: string): void => appendFileSync(process.env['NOTES']!, `${text}\n`)
export const noted = dataflow('noted', here)
  .source('numbers', { produce: () => numbers() })
  .sink('out', {
    concurrency: 2,
    setup: async ({ worker, workers, epoch }) => {
      note(`setup ${worker} of ${workers}, life ${epoch}`)
      return later({ worker })
    },
    write: (_: number, { state, worker }) => {
      if (state.worker !== worker) note('another state')
    },
    teardown: async (state, { worker }) => note(`teardown ${await later(state.worker)} ${worker}`),
  })
  .connect('numbers', 'out')

export const saturated = dataflow('saturated', here)
  .source('numbers', { produce: endless })
  .transform('work', { map: (n: number) => n + 1 })
  .sink('out', { write: () => undefined })
  .connect('numbers', 'work')
  .connect('work', 'out')
