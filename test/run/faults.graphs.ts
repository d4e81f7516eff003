import { setTimeout as sleep } from 'node:timers/promises'
import { dataflow } from 'millrace'

/** Failures that are worth another attempt, and failures that are not. */
export const picky = dataflow('picky', import.meta.url)
  .source('numbers', { produce: () => [1, 2, 3, 4] })
  .transform('fails', {
    retry: { maxAttempts: 3, baseMs: 1, when: (error) => (error as Error).message === 'odd' },
    map: (n: number, { attempt }) => {
      if (n === 4) return n
      if (n % 2 === 0 || attempt < 3) throw new Error(n % 2 === 1 ? 'odd' : 'even')
      return n
    },
  })
  .sink('out')
  .connect('numbers', 'fails')
  .connect('fails', 'out')

export const exits = dataflow('exits', import.meta.url)
  .source('numbers', { produce: () => [1], setup: () => process.exit(7) })
  .sink('out')
  .connect('numbers', 'out')

/** Calls that overlap: what each of them learns and says by its own context. */
export const contexts = dataflow('contexts', import.meta.url)
  .source('numbers', {
    produce: function* () {
      for (let n = 0; n < 60; n++) yield n
    },
  })
  .transform('one', {
    maxInFlight: 8,
    retry: { maxAttempts: 2, baseMs: 1 },
    map: async (n: number, { attempt, id, emit }) => {
      await sleep(n % 5)
      if (n % 3 === 0 && attempt === 1) throw new Error('once more')
      emit('seen', { n, attempt, id })
      return n
    },
  })
  .transform('many', {
    batch: { size: 5, timeoutMs: 5, by: (n: number) => n % 4 },
    maxInFlight: 4,
    mapBatch: async (batch: number[], { emit, fail }) => {
      await sleep(batch[0]! % 3)
      emit('batch', { batch: [...batch] })
      for (const n of batch) if (n % 10 === 7) fail(n, new Error('seven'))
      return batch.filter((n) => n % 10 !== 7)
    },
  })
  .sink('out')
  .sink('seen')
  .sink('batches')
  .sink('failed')
  .connect('numbers', 'one')
  .connect('one', 'many')
  .connect('many', 'out')
  .connect('one', 'seen', { when: 'seen' })
  .connect('many', 'batches', { when: 'batch' })
  .connect('many', 'failed', { pathType: 'dead_letter' })

/** Records so large that a chunk of the source goes in parts, and a source that makes its records again after a death. */
export const heavy = dataflow('heavy', import.meta.url)
  .source('blocks', {
    produce: function* () {
      for (let n = 0; n < 400; n++) yield { n, bytes: new Uint8Array(32_768) }
    },
  })
  .transform('work', {
    concurrency: 2,
    map: ({ n }: { n: number; bytes: Uint8Array }) => {
      for (const start = performance.now(); performance.now() - start < 0.5;);
      return n
    },
  })
  .sink('out')
  .connect('blocks', 'work')
  .connect('work', 'out')

/** Every record fails twice before it succeeds, and the stash holds few of them. */
const stubborn = (name: string, ordered: boolean) =>
  dataflow(name, import.meta.url)
    .source('numbers', {
      produce: function* () {
        for (let n = 0; n < 600; n++) yield { n, text: 'x'.repeat(300) }
      },
    })
    .transform('fails', {
      ordered,
      retry: { maxAttempts: 3, backoff: 'constant', baseMs: 1, jitter: 0 },
      map: ({ n }: { n: number; text: string }, { attempt }) => {
        if (attempt < 3) throw new Error(`attempt ${attempt}`)
        return n
      },
    })
    .sink('out')
    .connect('numbers', 'fails')
    .connect('fails', 'out')
export const stubbornRecords = stubborn('stubbornRecords', false)
export const stubbornInOrder = stubborn('stubbornInOrder', true)

/** Records that no stash of 4 KiB holds, in batches by key that fail twice. */
export const largeByKey = dataflow('largeByKey', import.meta.url)
  .source('texts', { produce: () => Array.from({ length: 20 }, (_, n) => `${n} `.padEnd(5_000, 'x')) })
  .transform('fails', {
    batch: { size: 3, timeoutMs: 5, by: (text: string) => text.length },
    retry: { maxAttempts: 3, baseMs: 1 },
    mapBatch: (texts: string[], { attempt }) => {
      if (attempt < 3) throw new Error('not yet')
      return texts.map((text) => Number.parseInt(text, 10))
    },
  })
  .sink('out')
  .connect('texts', 'fails')
  .connect('fails', 'out')

/** A source that makes a record long after the drain has begun, while another one's record is still on its way. */
export const late = dataflow('late', import.meta.url)
  .source('late', {
    produce: async function* ({ signal }) {
      yield 'early'
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      await new Promise((resolve) => setTimeout(resolve, 200))
      yield 'late'
    },
  })
  .source('slow', { produce: () => ['slow'] })
  .transform('waits', {
    map: async (text: string) => {
      if (text === 'slow') await new Promise((resolve) => setTimeout(resolve, 600))
      return text
    },
  })
  .sink('out')
  .connect('late', 'waits')
  .connect('slow', 'waits')
  .connect('waits', 'out')
/** Outputs that no codec takes, several of one input: of records, and of a batch that has fewer records. */
export const refused = dataflow('refused', import.meta.url)
  .source('numbers', { produce: () => [1, 2, 3] })
  .transform('many', { flatMap: (n: number): unknown[] => (n === 2 ? [() => n, () => n, () => n] : [n]) })
  .transform('batches', {
    batch: { size: 2, timeoutMs: 5 },
    mapBatch: (batch: unknown[]): unknown[] => batch.flatMap((n) => [() => n, () => n]),
  })
  .sink('out')
  .connect('numbers', 'many')
  .connect('many', 'batches')
  .connect('batches', 'out')

/** Equal records in one batch, of which each call of `fail` fails one; one call names no record of it. */
export const equals = dataflow('equals', import.meta.url)
  .source('numbers', { produce: () => [1, 1, 2] })
  .transform('some', {
    batch: { size: 3, timeoutMs: 60_000 },
    mapBatch: (batch: number[], { fail }) => {
      fail(1, new Error('one of them'))
      fail(9, new Error('none of them'))
      return batch.slice(1)
    },
  })
  .sink('out')
  .connect('numbers', 'some')
  .connect('some', 'out')

/** One chunk of three records goes on in two portions, and the record between them comes to nothing. */
export const portions = dataflow('portions', import.meta.url)
  .source('numbers', { produce: () => [0, 3] })
  .transform('spread', { flatMap: (n: number) => (n === 0 ? [0, 1, 2] : [n]) })
  .transform('work', {
    retry: { maxAttempts: 2, baseMs: 1, backoff: 'constant' },
    flatMap: (n: number, { attempt }) => {
      if (n % 2 === 0) return [n]
      if (attempt === 1) throw new Error('not yet')
      return []
    },
  })
  .sink('out')
  .connect('numbers', 'spread')
  .connect('spread', 'work')
  .connect('work', 'out')
