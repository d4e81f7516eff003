/** Graphs whose workers fail, die, hang or never get ready. */
import { getEnvironmentData } from 'node:worker_threads'
import { setTimeout as sleep } from 'node:timers/promises'
import { dataflow, mark } from 'millrace/graph'

function* upTo(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n
}

/** Records that end in `500` kill their worker at every attempt. */
export const poisoned = (count: number) =>
  dataflow(`poisoned-${count}`, import.meta.url)
    .source('numbers', { produce: () => upTo(count) })
    .transform('work', {
      map: (n: number) => {
        if (n % 1_000 === 500) process.exit(1)
        return n
      },
    })
    .sink('out')
    .sink('dead')
    .connect('numbers', 'work')
    .connect('work', 'out')
    .connect('work', 'dead', { pathType: 'dead_letter' })
export const fewPoisoned = poisoned(3_000)
export const manyPoisoned = poisoned(100_000)

/** The same, where it is the look-up before their calls that kills. */
export const poisonedPreloads = dataflow('poisonedPreloads', import.meta.url)
  .source('numbers', { produce: () => upTo(3_000) })
  .transform('work', {
    preload: async (numbers: readonly number[]) => {
      if (numbers.some((n) => n % 1_000 === 500)) process.exit(1)
      return numbers
    },
    map: (_: number, { preloaded }) => preloaded,
  })
  .sink('out')
  .sink('dead')
  .connect('numbers', 'work')
  .connect('work', 'out')
  .connect('work', 'dead', { pathType: 'dead_letter' })

export const endless = dataflow('endless', import.meta.url)
  .source('numbers', { produce: () => upTo(100) })
  .transform('work', {
    timeoutMs: 300,
    map: (n: number, { attempt }) => {
      // oxlint-disable-next-line no-empty
      if (n === 50 && attempt === 1) for (;;) {}
      return { n, attempt }
    },
  })
  .sink('out')
  .connect('numbers', 'work')
  .connect('work', 'out')

export const late = dataflow('late', import.meta.url)
  .source('numbers', { produce: () => upTo(20) })
  .transform('work', {
    timeoutMs: 300,
    retry: { maxAttempts: 2, baseMs: 1 },
    map: async (n: number, { signal }) => {
      if (n === 7) await sleep(3_600_000, undefined, { signal })
      return n
    },
  })
  .sink('out')
  .sink('dead')
  .connect('numbers', 'work')
  .connect('work', 'out')
  .connect('work', 'dead', { pathType: 'dead_letter' })

const handler = (name: string, module: string, found: string) =>
  dataflow(name, import.meta.url)
    .source('numbers', { produce: () => [1] })
    .transform('work', { map: { module, export: found } })
    .sink('none', { write: () => undefined })
    .connect('numbers', 'work')
    .connect('work', 'none')
export const throwing = handler('throwing', './modules/throws.js', 'work')
export const missing = handler('missing', './modules/nowhere.js', 'work')
export const wrongExport = handler('wrongExport', './graphs.js', 'nothing')

export const badSetup = dataflow('badSetup', import.meta.url)
  .source('numbers', { produce: () => [1] })
  .transform('work', {
    setup: () => {
      throw new Error('no database')
    },
    map: (n: number) => n,
  })
  .sink('none', { write: () => undefined })
  .connect('numbers', 'work')
  .connect('work', 'none')

export const neverReady = dataflow('neverReady', import.meta.url)
  .source('numbers', { produce: () => [1] })
  .sink('none', { setup: () => sleep(3_600_000), write: () => undefined })
  .connect('numbers', 'none')

/** Every record kills once. */
export const deadly = dataflow('deadly', import.meta.url)
  .source('numbers', { produce: () => upTo(1_000) })
  .transform('work', {
    restart: { maxRestarts: 2, withinMs: 3_600_000, backoffMs: 1 },
    map: (n: number, { attempt }) => (attempt === 1 ? process.exit(3) : n),
  })
  .sink('none', { write: () => undefined })
  .connect('numbers', 'work')
  .connect('work', 'none')

/** Counts how often each record was told as acked, and as failed. */
function tell(successes: readonly unknown[], failures: readonly unknown[]): void {
  const told = new Int32Array(getEnvironmentData('told') as SharedArrayBuffer)
  for (const n of successes) Atomics.add(told, n as number, 1)
  for (const n of failures) Atomics.add(told, 100 + (n as number), 1)
}

/** Hangs at record 30 of 100. */
export const stuck = dataflow('stuck', import.meta.url)
  .source('numbers', {
    window: 50,
    produce: function* () {
      for (let n = 0; n < 100; n++) yield mark(n, { receipt: n })
    },
    ack: tell,
  })
  .transform('work', {
    map: (n: number) => {
      // oxlint-disable-next-line no-empty
      if (n === 30) for (;;) {}
      return n
    },
  })
  .sink('out')
  .connect('numbers', 'work')
  .connect('work', 'out')

export const ticks = dataflow('ticks', import.meta.url)
  .source('ticks', {
    produce: async function* ({ signal }) {
      for (let n = 0; !signal.aborted; n++) {
        yield n
        await sleep(1, undefined, { signal }).catch(() => undefined)
      }
    },
  })
  .transform('work', { map: (n: number) => n })
  .sink('out')
  .connect('ticks', 'work')
  .connect('work', 'out')

/** Record 5 takes more heap than its worker has. */
export const greedy = dataflow('greedy', import.meta.url)
  .source('numbers', { produce: () => upTo(100) })
  .transform('work', {
    resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 },
    map: (n: number) => {
      const hoard: number[][] = []
      if (n === 5) for (;;) hoard.push(new Array<number>(10_000).fill(n))
      return n
    },
  })
  .sink('out')
  .sink('dead')
  .connect('numbers', 'work')
  .connect('work', 'out')
  .connect('work', 'dead', { pathType: 'dead_letter' })

/** The worker dies with one batch in hand while batches of other keys are open. */
export const batches = dataflow('batches', import.meta.url)
  .source('numbers', { produce: () => upTo(200) })
  .transform('group', {
    batch: { size: 10, timeoutMs: 50, by: (n: number) => n % 6 },
    mapBatch: (batch: number[], { attempt }) => {
      if (batch.includes(60) && attempt === 1) process.exit(1)
      return [{ batch, attempt }]
    },
  })
  .sink('out')
  .connect('numbers', 'group')
  .connect('group', 'out')

/** The handler fails one record of a batch, and exits when that comes again. */
export const failedAlone = dataflow('failedAlone', import.meta.url)
  .source('numbers', {
    produce: async function* () {
      for (const n of upTo(100)) {
        yield n
        await sleep(10)
      }
    },
  })
  .transform('group', {
    retry: { maxAttempts: 5, baseMs: 20 },
    batch: { size: 2, timeoutMs: 2_000, by: () => 'all' },
    mapBatch: (batch: number[], { attempt, fail }) => {
      if (attempt === 1 && batch.includes(20)) fail(20, new Error('not yet'))
      if (attempt === 2 && batch[0] === 20 && batch.length === 1) process.exit(1)
      return [{ batch, attempt }]
    },
  })
  .sink('out')
  .connect('numbers', 'group')
  .connect('group', 'out')

/** The function that tells a batch's key exits, hangs, or neither, at one record. */
const keyed = (name: string, keyOf: (n: number) => number) =>
  dataflow(name, import.meta.url)
    .source('numbers', { produce: () => upTo(200) })
    .transform('group', {
      timeoutMs: 5,
      maxInFlight: 3,
      maxCrashes: 2,
      batch: { size: 10, timeoutMs: 50, by: keyOf },
      mapBatch: async (batch: number[]) => Promise.resolve(batch),
    })
    .sink('out')
    .sink('dead')
    .connect('numbers', 'group')
    .connect('group', 'out')
    .connect('group', 'dead', { pathType: 'dead_letter' })
export const deadlyKey = keyed('deadlyKey', (n) => (n === 60 ? process.exit(1) : n % 6))
export const endlessKey = keyed('endlessKey', (n) => {
  // oxlint-disable-next-line no-empty
  if (n === 60) for (;;) {}
  return n % 6
})

/** True in the workers of `deadlyOrder` that call handlers. */
let isWorking = false
/** Calls that overlap, in the order of each key; the function that tells the key exits at one record, but in its source. */
export const deadlyOrder = dataflow('deadlyOrder', import.meta.url)
  .source('numbers', { produce: () => upTo(200) })
  .transform('work', {
    timeoutMs: 500,
    maxInFlight: 4,
    ordered: true,
    setup: () => (isWorking = true),
    partitionBy: (n: number) => (n === 60 && isWorking ? process.exit(1) : n % 6),
    map: async (n: number) => Promise.resolve(n),
  })
  .sink('out')
  .sink('dead')
  .connect('numbers', 'work')
  .connect('work', 'out')
  .connect('work', 'dead', { pathType: 'dead_letter' })
/** One record a second: between them the workers wait, for longer than their handlers may take. */
export const unhurried = dataflow('unhurried', import.meta.url)
  .source('numbers', {
    produce: async function* () {
      for (const n of upTo(3)) {
        yield n
        await sleep(700)
      }
    },
  })
  .transform('one', { timeoutMs: 5, maxInFlight: 2, map: async (n: number) => Promise.resolve(n) })
  .transform('group', {
    timeoutMs: 5,
    batch: { size: 2, timeoutMs: 10, by: (n: number) => n },
    mapBatch: (batch: number[]) => batch,
  })
  .sink('out')
  .connect('numbers', 'one')
  .connect('one', 'group')
  .connect('group', 'out')

/** A handler that runs inline behind calls that overlap, and kills at one record. */
export const deadlyInline = dataflow('deadlyInline', import.meta.url)
  .source('numbers', { produce: () => upTo(100) })
  .transform('work', { maxInFlight: 8, map: async (n: number) => Promise.resolve(n) })
  .transform('inline', { map: (n: number) => (n === 50 ? process.exit(1) : n) })
  .sink('out')
  .sink('dead')
  .connect('numbers', 'work')
  .connect('work', 'inline', { fuse: true })
  .connect('inline', 'out')
  .connect('work', 'dead', { pathType: 'dead_letter' })

/** Dies once; the first successor hangs in its `setup`, the second one's fails. */
export const stumbling = dataflow('stumbling', import.meta.url)
  .source('numbers', { produce: () => upTo(100) })
  .transform('work', {
    restart: { maxRestarts: 3, backoffMs: 1 },
    setup: ({ epoch }) => {
      // oxlint-disable-next-line no-empty
      if (epoch === 1) for (;;) {}
      if (epoch === 2) throw new Error('no database')
    },
    map: (n: number, { attempt }) => (n === 50 && attempt === 1 ? process.exit(1) : n),
  })
  .sink('out')
  .connect('numbers', 'work')
  .connect('work', 'out')
