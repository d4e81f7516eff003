/** Graphs of the tests of the control API. Workers import this module. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { dataflow } from 'millrace'

export interface Reading {
  readonly id: number
  readonly secret: string
}

/** Runs for ever, some records fail, and `parse` is the slowest. */
export const mill = dataflow('mill', import.meta.url)
  .source('sensors', {
    rate: 2_000,
    produce: async function* ({ signal }) {
      for (let id = 0; !signal.aborted; id++) {
        yield { id, secret: `secret-${id}` }
        if (id % 20 === 0) await sleep(5, undefined, { signal }).catch(() => undefined)
      }
    },
  })
  .transform('parse', {
    concurrency: 2,
    latencyMs: 0.2,
    restart: { maxRestarts: 1_000 },
    map: (reading: Reading) => {
      if (reading.id % 500 === 13) throw new RangeError(`no good: ${reading.secret}`)
      return reading
    },
  })
  .conditional('size', { route: ({ id }) => (id % 10 === 0 ? 'tens' : 'others') })
  .buffer('queue', { capacity: 2_000 })
  .sink('store', { batch: { size: 50, timeoutMs: 20 }, write: () => undefined })
  .sink('tens', { write: () => undefined })
  .connect('sensors', 'parse', { dataType: 'reading' })
  .connect('parse', 'size')
  .connect('size', 'queue', { when: 'others' })
  .connect('size', 'tens', { when: 'tens' })
  .connect('queue', 'store')

/** Runs for ever, and at nearly every moment some records are with a handler. */
export const patient = dataflow('patient', import.meta.url)
  .source('sensors', {
    produce: async function* ({ signal }) {
      for (let id = 0; !signal.aborted; id++) {
        yield { id, secret: `secret-${id}` }
        if (id % 10 === 0) await sleep(5, undefined, { signal }).catch(() => undefined)
      }
    },
  })
  .transform('parse', {
    maxInFlight: 64,
    map: async (reading: Reading) => {
      await sleep(30)
      return reading
    },
  })
  .sink('store', { write: () => undefined })
  .connect('sensors', 'parse', { dataType: 'reading' })
  .connect('parse', 'store')

/** Its source has three workers, which make records without end. */
export const shared = dataflow('shared', import.meta.url)
  .source('in', { concurrency: 3, poll: (demand) => Array.from({ length: demand }, (_, i) => i) })
  .sink('end', { write: () => undefined })
  .connect('in', 'end')

/** Takes what is pushed. */
export const pushed = dataflow('pushed', import.meta.url)
  .source<'in', number>('in', { push: true })
  .transform('check', {
    map: (n: number) => {
      if (n < 0) throw new RangeError(`negative: ${n}`)
      return n
    },
  })
  .sink('end', { write: () => undefined })
  .connect('in', 'check')
  .connect('check', 'end')

/** Takes anything that is pushed, and fails at it. */
export const failing = dataflow('failing', import.meta.url)
  .source<'in', unknown>('in', { push: true })
  .sink('end', {
    write: () => {
      throw Object.assign(new RangeError('no good'), { code: 12n })
    },
  })
  .connect('in', 'end')

/** Fails at every record, and is long-winded about it. */
export const wordy = dataflow('wordy', import.meta.url)
  .source<'in', number>('in', { push: true })
  .sink('end', {
    write: (n: number) => {
      throw new RangeError(`${n}${'!'.repeat(200_000)}`)
    },
  })
  .connect('in', 'end')

/** Cannot keep up: its one slow stage holds the source. */
export const narrow = dataflow('narrow', import.meta.url)
  .source('fast', {
    produce: function* () {
      for (let i = 0; ; i++) yield i
    },
  })
  .transform('slow', {
    map: (n: number) => {
      for (const end = performance.now() + 2; performance.now() < end;);
      return n
    },
  })
  .sink('end', { write: () => undefined })
  .connect('fast', 'slow', { maxDemand: 32 })
  .connect('slow', 'end')

/** The same, and its slow stage may get more workers; nothing is decided on for an hour. */
export const elastic = dataflow('elastic', import.meta.url)
  .source('fast', {
    produce: function* () {
      for (let i = 0; ; i++) yield i
    },
  })
  .transform('slow', {
    scale: { max: 2, everyMs: 3_600_000 },
    map: (n: number) => {
      for (const end = performance.now() + 2; performance.now() < end;);
      return n
    },
  })
  .sink('end', { write: () => undefined })
  .connect('fast', 'slow', { maxDemand: 32 })
  .connect('slow', 'end')

/** Its only worker cannot be set up for a while, or at all. */
export const late = dataflow('late', import.meta.url)
  .source('numbers', { produce: () => [1, 2, 3] })
  .sink('end', { setup: () => sleep(1_500), write: () => undefined })
  .connect('numbers', 'end')

export const unstartable = dataflow('unstartable', import.meta.url)
  .source('numbers', { produce: () => [1, 2, 3] })
  .sink('end', {
    setup: () => {
      throw new Error('no disk')
    },
    write: () => undefined,
  })
  .connect('numbers', 'end')

/** Makes a record that no other thread can be sent, and then waits. */
export const unsendable = dataflow('unsendable', import.meta.url)
  .source('odd', {
    produce: async function* ({ signal }): AsyncGenerator<() => number> {
      yield () => 1
      await once(signal, 'abort')
    },
  })
  .sink('end', { write: () => undefined })
  .connect('odd', 'end')

/** Its worker dies at its first record, whatever is tried. */
export const doomed = dataflow('doomed', import.meta.url)
  .source('numbers', { produce: () => [1, 2, 3] })
  .sink('end', { restart: { maxRestarts: 0 }, write: () => process.exit(3) })
  .connect('numbers', 'end')

/** Twenty stages in a row, some with long names: for drawing, and for a rehearsal. */
const row = Array.from({ length: 20 }, (_, i) =>
  i === 7 ? 'stage-7-with-a-name-that-no-box-can-be-wide-enough-for' : `stage-${i}`,
)
export const wide = {
  name: 'wide',
  nodes: row.map((id, i) => ({
    id,
    kind: i === 0 ? ('source' as const) : i === 19 ? ('sink' as const) : ('transform' as const),
    ...(i === 0 ? { rate: 20 } : { latencyMs: 0.1 }),
  })),
  edges: row.slice(1).map((to, i) => ({ from: row[i]!, to })),
  clusters: [],
}

/** Clusters in a cluster, nodes outside of all, an edge back, and a cluster that holds nothing: for drawing. */
export const clustered = {
  name: 'clustered',
  nodes: [
    { id: 'in', kind: 'source' as const, rate: 200 },
    { id: 'parse', kind: 'transform' as const, latencyMs: 0.1, cluster: 'reading' },
    { id: 'check', kind: 'transform' as const, latencyMs: 0.1, cluster: 'reading' },
    { id: 'late', kind: 'buffer' as const, capacity: 500, cluster: 'reading' },
    { id: 'join', kind: 'merge' as const, cluster: 'work' },
    { id: 'score', kind: 'transform' as const, latencyMs: 0.2, concurrency: 2, cluster: 'scoring' },
    { id: 'rank', kind: 'transform' as const, latencyMs: 0.1, cluster: 'scoring' },
    { id: 'audit', kind: 'sink' as const, latencyMs: 0.1 },
    { id: 'store', kind: 'sink' as const, latencyMs: 0.1, cluster: 'work' },
  ],
  edges: [
    { from: 'in', to: 'parse' },
    { from: 'parse', to: 'check' },
    { from: 'check', to: 'late' },
    { from: 'late', to: 'join' },
    { from: 'parse', to: 'audit' },
    { from: 'join', to: 'score' },
    { from: 'score', to: 'rank' },
    { from: 'score', to: 'check', pathType: 'retry' as const, ratio: 0.05 },
    { from: 'rank', to: 'store' },
    { from: 'rank', to: 'audit', pathType: 'dead_letter' as const, ratio: 0.01 },
  ],
  clusters: [
    { id: 'scoring', label: 'Scores and ranks', parent: 'work' },
    { id: 'reading', label: 'Reading' },
    { id: 'work' },
    { id: 'empty', label: 'Nothing in here' },
  ],
}
