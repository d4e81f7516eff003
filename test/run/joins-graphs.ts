import { type Failure, dataflow } from 'millrace'

interface Input {
  readonly n: number
}

interface Part extends Input {
  readonly side: string
  readonly text: string
}

/** How many records the source makes. */
export const MADE = 1_500
/** Every so many, `left` cannot do one, `right` answers with what cannot be sent, and `both` cannot do it. */
export const [LEFT_FAILS, RIGHT_FAILS, BOTH_FAILS] = [7, 11, 13]

const key = (record: Part | Failure<Input>): number => partOf(record).n

/** A failure arrives in the place of the record that failed. */
function partOf(record: Part | Failure<Input>): Part {
  return 'error' in record ? { ...record.input, side: record.node, text: 'failed' } : record
}

/** Two ways that meet again: each pair is joined once, whatever dies, and what fails on one of them is a member too. */
export const diamond = dataflow('diamond', import.meta.url)
  .source('numbers', {
    chunk: 1,
    window: 64,
    produce: function* () {
      for (let n = 0; n < MADE; n++) yield { n }
    },
  })
  .transform('left', {
    map: ({ n }: Input): Part => {
      if (n % LEFT_FAILS === 0) throw new Error('left')
      return { n, side: 'left', text: 'x'.repeat(n % 50) }
    },
  })
  .transform('right', {
    concurrency: 2,
    map: async ({ n }: Input): Promise<Part> => {
      if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
      const part = { n, side: 'right', text: 'y' }
      return n % RIGHT_FAILS === 0 ? { ...part, text: (() => n) as never } : part
    },
  })
  .transform('both', {
    concurrency: 2,
    partitionBy: key,
    batch: { size: 2, by: key, of: () => 2, timeoutMs: 1 },
    retry: { maxAttempts: 2, baseMs: 1 },
    mapBatch: (members: (Part | Failure<Input>)[]) => {
      const parts = members.map(partOf).toSorted((a, b) => (a.side < b.side ? -1 : 1))
      const { n } = parts[0]!
      if (n % BOTH_FAILS === 0) throw new Error('both')
      return [{ n, sides: parts.map(({ side }) => side), texts: parts.map(({ text }) => text) }]
    },
  })
  .sink('out')
  .sink('failed')
  .connect('numbers', 'left')
  .connect('numbers', 'right')
  .connect('left', 'both')
  .connect('left', 'both', { pathType: 'error' })
  .connect('right', 'both')
  .connect('right', 'both', { pathType: 'error' })
  .connect('both', 'out')
  .connect('both', 'failed', { pathType: 'error' })

interface Sized {
  readonly n: number
  readonly body: string
}

const keyOfSized = ({ n }: Sized): number => n

/** One of two members of every second pair is larger than any place in a stash of 64 KiB. */
export const large = dataflow('large', import.meta.url)
  .source('numbers', { chunk: 1, produce: () => [0, 1, 2, 3, 4, 5, 6, 7] })
  .transform('small', { map: (n: number): Sized => ({ n, body: 'small' }) })
  .transform('large', { map: (n: number): Sized => ({ n, body: 'x'.repeat(n % 2 === 0 ? 100_000 : 100) }) })
  .transform('both', {
    partitionBy: keyOfSized,
    batch: { size: 2, by: keyOfSized, of: () => 2, instead: ({ n }: Sized) => ({ n, body: '' }) },
    mapBatch: (pair: Sized[]) => [
      {
        n: pair[0]!.n,
        bytes: pair.map(({ body }) => body.length),
        lost: pair.filter(({ body }) => body === '').length,
      },
    ],
  })
  .sink('out')
  .connect('numbers', 'small')
  .connect('numbers', 'large')
  .connect('small', 'both')
  .connect('large', 'both')
  .connect('both', 'out')

interface Racer extends Input {
  readonly side: string
}

const ofRacer = ({ n }: Racer): number => n

/** Two of three are enough: the third ends without a call, whenever it comes. */
export const quorum = dataflow('quorum', import.meta.url)
  .source('numbers', {
    chunk: 1,
    window: 64,
    produce: function* () {
      for (let n = 0; n < MADE; n++) yield { n }
    },
  })
  .transform('quick', { map: ({ n }: Input): Racer => ({ n, side: 'quick' }) })
  .transform('steady', {
    concurrency: 2,
    maxCrashes: 100,
    map: async ({ n }: Input): Promise<Racer> => {
      if (n % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
      return { n, side: 'steady' }
    },
  })
  .transform('slow', {
    maxCrashes: 100,
    map: async ({ n }: Input): Promise<Racer> => {
      await new Promise((resolve) => setTimeout(resolve, n % 4))
      return { n, side: 'slow' }
    },
  })
  .transform('two', {
    concurrency: 2,
    partitionBy: ofRacer,
    maxInFlight: 4,
    maxCrashes: 100,
    batch: { size: 3, by: ofRacer, of: () => 3, weigh: () => 1, weight: 2 },
    retry: { maxAttempts: 2, baseMs: 1 },
    mapBatch: async (racers: Racer[]) => {
      const { n } = racers[0]!
      if (n % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
      if (n % BOTH_FAILS === 0) throw new Error('two')
      return [{ n, sides: racers.map(({ side }) => side) }]
    },
  })
  .sink('out')
  .sink('failed')
  .connect('numbers', 'quick')
  .connect('numbers', 'steady')
  .connect('numbers', 'slow')
  .connect('quick', 'two')
  .connect('steady', 'two')
  .connect('slow', 'two')
  .connect('two', 'out')
  .connect('two', 'failed', { pathType: 'error' })
