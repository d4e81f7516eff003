/** Graphs of the integration tests. Workers import this module; what comes out is read by `pipeline.output`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { dataflow, mark } from 'millrace'

function* numbers(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield i
}

export const chain = dataflow('chain', import.meta.url)
  .source('numbers', { produce: () => numbers(10_000) })
  .transform('double', { concurrency: 2, map: (n: number) => n * 2 })
  .sink('out')
  .connect('numbers', 'double')
  .connect('double', 'out')

export const kinds = dataflow('kinds', import.meta.url)
  .source('numbers', { produce: () => numbers(3_000) })
  .transform('even', { filter: (n: number) => n % 2 === 0 })
  .transform('twice', {
    flatMap: function* (n: number) {
      yield n
      yield n + 1
    },
  })
  .transform('pairs', {
    batch: { size: 7, timeoutMs: 20 },
    mapBatch: (batch: number[]) => [{ sum: batch.reduce((a, b) => a + b, 0), size: batch.length }],
  })
  .sink('out')
  .connect('numbers', 'even')
  .connect('even', 'twice')
  .connect('twice', 'pairs')
  .connect('pairs', 'out')

/** Handlers that answer at once, with a promise one at a time, with several open, and a batch at a time. */
export const answers = dataflow('answers', import.meta.url)
  .source('numbers', { produce: () => numbers(100) })
  .transform('sync', { map: (n: number) => n })
  .transform('alone', { maxInFlight: 1, map: async (n: number) => Promise.resolve(n) })
  .transform('overlapping', { maxInFlight: 4, map: async (n: number) => Promise.resolve(n) })
  .transform('batches', {
    batch: { size: 10, timeoutMs: 20 },
    mapBatch: async (batch: number[]) => Promise.resolve(batch),
  })
  .sink('out')
  .connect('numbers', 'sync')
  .connect('sync', 'alone')
  .connect('alone', 'overlapping')
  .connect('overlapping', 'batches')
  .connect('batches', 'out')

export const branches = dataflow('branches', import.meta.url)
  .source('numbers', { produce: () => numbers(5_000) })
  .conditional('size', { route: (n: number) => (n % 10 === 0 ? 'tens' : n % 2 === 0 ? 'even' : 'odd') })
  .transform('mark', { map: (n: number) => ({ marked: n }) })
  .merge('all')
  .sink('out')
  .sink('tens')
  .connect('numbers', 'size')
  .connect('size', 'tens', { when: 'tens' })
  .connect('size', 'mark', { when: 'even' })
  .connect('size', 'all', { when: 'odd' })
  .connect('mark', 'all')
  .connect('all', 'out')

export const copies = dataflow('copies', import.meta.url)
  .source('numbers', { produce: () => numbers(2_000) })
  .transform('a', { map: (n: number) => ({ from: 'a', n }) })
  .transform('b', { map: (n: number) => ({ from: 'b', n }) })
  .sink('out')
  .connect('numbers', 'a')
  .connect('numbers', 'b')
  .connect('a', 'out')
  .connect('b', 'out')

export const asyncMap = dataflow('asyncMap', import.meta.url)
  .source('numbers', { produce: () => numbers(2_000) })
  .transform('wait', {
    maxInFlight: 32,
    map: async (n: number) => {
      await sleep(n % 3)
      return n
    },
  })
  .sink('out')
  .connect('numbers', 'wait')
  .connect('wait', 'out')

/** A promise from a function that is not declared async: seen only at its first call. */
export const lateAsync = dataflow('lateAsync', import.meta.url)
  .source('numbers', { produce: () => numbers(1_000) })
  .transform('wait', { ordered: true, map: (n: number) => (n < 10 ? n : sleep(n % 3).then(() => n)) })
  .sink('out')
  .connect('numbers', 'wait')
  .connect('wait', 'out')

export const retries = dataflow('retries', import.meta.url)
  .source('numbers', { produce: () => numbers(1_000) })
  .transform('flaky', {
    retry: { maxAttempts: 3, baseMs: 5, backoff: 'constant', jitter: 0 },
    map: (n: number, { attempt }) => {
      if (n % 10 === 3 && attempt < 3) throw new Error(`not yet ${n}`)
      if (n % 100 === 50) throw new TypeError(`never ${n}`)
      return { n, attempt }
    },
  })
  .sink('out')
  .sink('dead')
  .connect('numbers', 'flaky')
  .connect('flaky', 'out')
  .connect('flaky', 'dead', { pathType: 'dead_letter' })

export const nacks = dataflow('nacks', import.meta.url)
  .source('numbers', {
    produce: function* () {
      for (let i = 0; i < 500; i++) yield mark({ n: i }, { cursor: i, receipt: `r${i}` })
    },
    ack: (successes, failures, { watermark }) => {
      acked.push({ successes: [...successes], failures: [...failures], watermark })
    },
  })
  .transform('fails', {
    map: ({ n }: { n: number }) => {
      if (n % 7 === 0) throw new Error('no')
      return n
    },
  })
  .sink('out')
  .connect('numbers', 'fails')
  .connect('fails', 'out')
const acked: object[] = []

export const keyedBatches = dataflow('keyedBatches', import.meta.url)
  .source('numbers', { produce: () => numbers(3_000) })
  .transform('group', {
    batch: { size: 10, timeoutMs: 30, by: (n: number) => n % 7 },
    mapBatch: (batch: number[], { attempt }) => [{ keys: [...new Set(batch.map((n) => n % 7))], batch, attempt }],
  })
  .sink('out')
  .connect('numbers', 'group')
  .connect('group', 'out')

export const partitions = dataflow('partitions', import.meta.url)
  .source('numbers', { produce: () => numbers(4_000) })
  .transform('keyed', {
    concurrency: 3,
    partitionBy: (n: number) => n % 11,
    map: (n: number, { worker }) => ({ key: n % 11, n, worker }),
  })
  .sink('out')
  .connect('numbers', 'keyed')
  .connect('keyed', 'out')

function square(n: number): number {
  if (n < 0) throw new RangeError('negative')
  return n * n
}

export const pushed = dataflow('pushed', import.meta.url)
  .source<'in', number>('in', { push: true })
  .transform('square', { map: square })
  .sink('out')
  .connect('in', 'square')
  .connect('square', 'out')

/** The same, several of its records in a chunk: they end together. */
export const pushedTogether = dataflow('pushedTogether', import.meta.url)
  .source<'in', number>('in', { push: true, chunk: 10 })
  .transform('square', { map: square })
  .sink('out')
  .connect('in', 'square')
  .connect('square', 'out')

export const largeRecords = dataflow('largeRecords', import.meta.url)
  .source('texts', {
    produce: function* () {
      for (let i = 0; i < 40; i++)
        yield { i, text: String.fromCharCode(97 + (i % 26)).repeat(i % 4 === 0 ? 600_000 + i : 100) }
    },
  })
  .transform('pass', { map: (record: { i: number; text: string }) => record })
  .sink('out')
  .connect('texts', 'pass')
  .connect('pass', 'out')

export const overflow = dataflow('overflow', import.meta.url)
  .source('numbers', { produce: () => numbers(20_000) })
  .buffer('newest', { capacity: 64, whenFull: 'dropNewest' })
  .buffer('oldest', { capacity: 64, whenFull: 'dropOldest' })
  .transform('slow', {
    map: async (n: number) => {
      await sleep(1)
      return n
    },
  })
  .transform('alsoSlow', {
    map: async (n: number) => {
      await sleep(1)
      return n
    },
  })
  .sink('out')
  .sink('last')
  .connect('numbers', 'newest')
  .connect('numbers', 'oldest')
  .connect('newest', 'slow')
  .connect('oldest', 'alsoSlow')
  .connect('slow', 'out')
  .connect('alsoSlow', 'last')

/** Ticks for ever. */
export const endless = dataflow('endless', import.meta.url)
  .source('ticks', {
    produce: async function* ({ signal }) {
      for (let i = 0; !signal.aborted; i++) {
        yield i
        await sleep(1, undefined, { signal }).catch(() => undefined)
      }
    },
  })
  .transform('check', {
    map: (n: number) => {
      if (n < 0) throw new RangeError(`negative: ${n}`)
      return n
    },
  })
  .sink('out')
  .connect('ticks', 'check')
  .connect('check', 'out')

export const fast = dataflow('fast', import.meta.url)
  .source('numbers', {
    produce: function* () {
      for (let i = 0; ; i++) yield i
    },
  })
  .sink('none', { write: () => undefined })
  .connect('numbers', 'none')

/** Records that cannot be sent on, and whose failure cannot be sent with them either. */
export const unsendable = dataflow('unsendable', import.meta.url)
  .source('numbers', { produce: () => numbers(100) })
  .transform('work', {
    map: (n: number): unknown => (n % 10 === 3 ? { n, call: () => n } : n % 10 === 7 ? 'x'.repeat(100_000) : n),
  })
  .sink('out')
  .sink('dead')
  .connect('numbers', 'work')
  .connect('work', 'out')
  .connect('work', 'dead', { pathType: 'dead_letter' })

/** The same behind a conditional: its lanes are written after those of the dead-letter edge. */
export const unsendableBranch = dataflow('unsendableBranch', import.meta.url)
  .source('numbers', { produce: () => numbers(300) })
  .transform('work', { map: (n: number): unknown => (n % 10 === 3 ? () => n : n) })
  .conditional('parity', { route: (n) => (typeof n === 'number' && n % 2 === 0 ? 'even' : 'odd') })
  .sink('even')
  .sink('odd')
  .sink('dead')
  .connect('numbers', 'work')
  .connect('work', 'dead', { pathType: 'dead_letter' })
  .connect('work', 'parity')
  .connect('parity', 'even', { when: 'even' })
  .connect('parity', 'odd', { when: 'odd' })

/** A dead-letter edge that takes no failures: its codec is for bytes. */
export const deafDeadLetters = dataflow('deafDeadLetters', import.meta.url)
  .source('numbers', { produce: () => numbers(100) })
  .transform('work', {
    map: (n: number) => {
      if (n % 10 === 3) throw new Error('no')
      return n
    },
  })
  .sink('out')
  .sink('dead')
  .connect('numbers', 'work')
  .connect('work', 'out')
  .connect('work', 'dead', { pathType: 'dead_letter', codec: 'bytes' })

/** Batches of records that each have a slot of their own, over the smallest lanes; and batches of those. */
export const manyAnchors = dataflow('manyAnchors', import.meta.url)
  .source('numbers', { chunk: 1, produce: () => numbers(3_000) })
  .transform('first', { batch: { size: 300, timeoutMs: 20 }, mapBatch: (batch: number[]) => [batch] })
  .transform('second', {
    batch: { size: 5, timeoutMs: 20 },
    mapBatch: (batches: number[][]) => [{ numbers: batches.flat(), pad: 'x'.repeat(5_000) }],
  })
  .sink('out')
  .connect('numbers', 'first')
  .connect('first', 'second', { laneBytes: 1_024 })
  .connect('second', 'out', { laneBytes: 1_024 })

/** Throws what is no error, and cannot be put into words. */
const refuse = (): never => {
  throw new Error('not to be looked at')
}
const unreadable: unknown = new Proxy({}, { get: refuse, getPrototypeOf: refuse })
const unreadableMessage: unknown = Object.defineProperty(new Error('x'), 'message', { get: refuse })

export const throwsAnything = dataflow('throwsAnything', import.meta.url)
  .source('numbers', { produce: () => numbers(8) })
  .transform('work', {
    map: (n: number) => {
      // oxlint-disable-next-line typescript/only-throw-error -- what users may do
      throw [undefined, null, 'text', 7, Object.create(null), Symbol('s'), unreadable, unreadableMessage][n]
    },
  })
  .sink('out')
  .connect('numbers', 'work')
  .connect('work', 'out')

/** Texts as they are. */
export const texts = dataflow('texts', import.meta.url)
  .source<'in', string>('in', { push: true })
  .transform('same', { map: (text: string) => text })
  .sink('out')
  .connect('in', 'same')
  .connect('same', 'out')
