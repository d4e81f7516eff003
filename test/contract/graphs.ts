/** Graphs that fail, each in one way. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, type GraphData, dataflow, mark } from 'millrace'

const here = import.meta.url

function ten(): number[] {
  return Array.from({ length: 10 }, (_, i) => i)
}

const source = (name: string) => dataflow(name, here).source('numbers', { produce: ten })

/** Every record goes through `work` to a sink that writes nothing. */
export const good = source('good')
  .transform('work', { map: (n: number) => n })
  .sink('out', { write: () => undefined })
  .connect('numbers', 'work')
  .connect('work', 'out')

export const read = source('read').sink('out').connect('numbers', 'out')

export const pushed = dataflow('pushed', here)
  .source<'in', number>('in', { push: true })
  .transform('odd', {
    filter: (n: number) => {
      if (n < 0) throw new RangeError(`negative: ${n}`)
      return n % 2 === 1
    },
  })
  .sink('out')
  .connect('in', 'odd')
  .connect('odd', 'out')

/** Each record is in the middle of being sent for long: one of the sinks is slow. */
export const forgetful = dataflow('forgetful', here)
  .source('queue', { poll: () => ten(), chunk: 10, window: 20, restart: { maxRestarts: 100, backoffMs: 0 } })
  .sink('quick', { write: () => undefined })
  .sink('slow', { write: () => sleep(20) })
  .connect('queue', 'quick')
  .connect('queue', 'slow', { maxDemand: 1 })

/** What is pushed waits for a batch that does not come. */
export const pushedToTimer = dataflow('pushedToTimer', here)
  .source('in', { push: true })
  .transform('wait', { batch: { size: 10, timeoutMs: 3_600_000 }, mapBatch: (records) => records })
  .sink('out')
  .connect('in', 'wait')
  .connect('wait', 'out')

export const setupThrows = source('setupThrows')
  .sink('out', {
    setup: () => {
      throw new Error('no database')
    },
    write: () => undefined,
  })
  .connect('numbers', 'out')

export const setupHangs = source('setupHangs')
  .sink('out', { setup: () => sleep(3_600_000), write: () => undefined })
  .connect('numbers', 'out')

/** The thread of `work` ends at the record 5, every time. */
const deadly = (name: string, maxRestarts: number, maxCrashes: number) =>
  source(name)
    .transform('work', {
      restart: { maxRestarts, backoffMs: 0 },
      maxCrashes,
      map: (n: number) => {
        if (n === 5) process.exit(7)
        return n
      },
    })
    .sink('out', { write: () => undefined })
    .connect('numbers', 'work')
    .connect('work', 'out')

export const dies = deadly('dies', 0, 100)
export const poisoned = deadly('poisoned', 5, 1)

export const detaches = source('detaches')
  .transform('work', {
    restart: { maxRestarts: 0, exhausted: 'detach' },
    map: (): number => process.exit(7),
  })
  .sink('out', { write: () => undefined })
  .connect('numbers', 'work')
  .connect('work', 'out')

const works = (name: string, work: object): GraphData =>
  source(name)
    .transform('work', { map: (n: unknown) => n, ...work })
    .sink('out', { write: () => undefined })
    .connect('numbers', 'work')
    .connect('work', 'out')

export const notEncodable = works('notEncodable', { map: (n: number) => () => n })
export const tooDeep = works('tooDeep', {
  map: () => Array.from({ length: 600 }).reduce((inner) => [inner], []),
})
export const tooLarge = works('tooLarge', { map: () => 'x'.repeat(5_000) })
export const timesOut = works('timesOut', { timeoutMs: 1_000, map: () => sleep(3_600_000) })
export const badBatchKey = works('badBatchKey', {
  map: undefined,
  batch: { size: 3, by: () => ({}) },
  mapBatch: (batch: number[]) => batch,
})
export const badNote = works('badNote', {
  map: (n: number, { note }: Context) => note('x'.repeat(2_000)),
})
export const badRelease = works('badRelease', { map: (n: number, { release }: Context) => release() })
export const badFailAt = works('badFailAt', {
  map: undefined,
  batch: { size: 3 },
  mapEach: (batch: number[], { failAt }: { failAt: (index: number, reason: unknown) => void }) => {
    failAt(batch.length, new Error('one too many'))
    return batch
  },
})
export const badFlatMap = works('badFlatMap', { map: undefined, flatMap: (n: number) => n })
export const badEmit = works('badEmit', {
  map: (n: number, { emit }: { emit: (branch: string, record: unknown) => void }) => emit('nowhere', n),
})
export const missingHandler = works('missingHandler', { map: { module: './modules/handlers.js', export: 'nothing' } })
export const missingModule = works('missingModule', { map: { module: './modules/nothing.js', export: 'work' } })
export const moduleThrows = works('moduleThrows', { map: { module: './modules/throws.js', export: 'work' } })

export const badPartition = source('badPartition')
  .sink('out', { concurrency: 2, partitionBy: (() => ({})) as unknown as () => string, write: () => undefined })
  .connect('numbers', 'out')

export const badRoute = source('badRoute')
  .conditional('route', { route: () => 'nowhere' })
  .sink('out', { write: () => undefined })
  .connect('numbers', 'route')
  .connect('route', 'out', { when: 'here' })

export const fusedAsync = source('fusedAsync')
  .transform('work', { map: (n: number) => n })
  .transform('late', { map: (n: number) => Promise.resolve(n) })
  .sink('out', { write: () => undefined })
  .connect('numbers', 'work')
  .connect('work', 'late', { fuse: true })
  .connect('late', 'out')

export const largeReceipt = dataflow('largeReceipt', here)
  .source('numbers', {
    restart: { maxRestarts: 0 },
    produce: () => [mark(1, { receipt: 'x'.repeat(2_000_000) })],
    ack: () => undefined,
  })
  .sink('out', { write: () => undefined })
  .connect('numbers', 'out')

export const ackFails = dataflow('ackFails', here)
  .source('numbers', {
    produce: () => [1],
    ackRetry: { maxAttempts: 2, baseMs: 1, exhausted: 'stop' },
    ack: () => {
      throw new Error('the queue is gone')
    },
  })
  .sink('out', { write: () => undefined })
  .connect('numbers', 'out')

export const largeCursor = dataflow('largeCursor', here)
  .source('numbers', {
    restart: { maxRestarts: 0 },
    produce: () => [mark(1, { cursor: 'x'.repeat(100_000) })],
  })
  .sink('out', { write: () => undefined })
  .connect('numbers', 'out')

export const badProduce = dataflow('badProduce', here)
  .source('numbers', { restart: { maxRestarts: 0 }, produce: (() => 7) as unknown as () => number[] })
  .sink('out', { write: () => undefined })
  .connect('numbers', 'out')
export const badMeta = headed('badMeta', { meta: 'for whom' })
export const expired = headed('expired', { expiresAt: 1 }, { metaBytes: 0 })

function headed(name: string, marks: Parameters<typeof mark>[1], options: object = {}): GraphData {
  return dataflow(name, import.meta.url)
    .source('in', { produce: () => [mark(1, marks)], ...options })
    .sink('out', { write: () => undefined })
    .connect('in', 'out')
}
