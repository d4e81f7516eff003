import { setTimeout as sleep } from 'node:timers/promises'
import { flow } from 'millrace/flow'

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** A few threads, many items of items: whatever waits for whom, it goes on. */
export const narrow = flow('narrow', import.meta.url, { maxRequests: 2 }).forEach('rows', {
  items: ({ rows, cells }: { rows: number; cells: number }) => upTo(rows).map((row) => ({ row, cells })),
  each: flow('row').forEach('cells', {
    items: ({ row, cells }: { row: number; cells: number }) => upTo(cells).map((cell) => row * cell),
    each: flow('cell').step('cell', { map: (n: number) => n, maxInFlight: 1 }),
    join: (all) => all.reduce((sum, n) => sum + n, 0),
  }),
})

/** Items of which every seventh fails at first, and the first one takes longest. */
export const wide = flow('wide', import.meta.url, { maxRequests: 4 }).forEach('all', {
  items: upTo,
  maxItems: 8_000,
  each: flow('one').step('one', {
    concurrency: 2,
    retry: { maxAttempts: 2, baseMs: 1 },
    map: async (n: number, { attempt }) => {
      if (n === 0) await sleep(20)
      if (n % 7 === 3 && attempt === 1) throw new Error('not yet')
      return n
    },
  }),
  join: (all) => ({
    count: all.length,
    sum: all.reduce((sum, n) => sum + n, 0),
    isOrdered: all.every((n, i) => n === i),
  }),
})

interface Counting {
  readonly counts: SharedArrayBuffer
}

/** Counts the calls of each of its steps. */
export const counted = flow<Counting>('counted', import.meta.url, { maxRequests: 64 })
  .step('a', { map: (n: number, { params }) => counting(params, 0, n) })
  .step('b', { concurrency: 2, map: async (n: number, { params }) => counting(params, 1, n) })
  .step('c', { map: (n: number, { params }) => counting(params, 2, n) })
  .step('d', { join: ({ b, c }) => b + c, map: (n, { params }) => counting(params, 3, n) })
  .edge('a', 'b')
  .edge('a', 'c')
  .edge('b', 'd')
  .edge('c', 'd')

function counting({ counts }: Counting, at: number, n: number): number {
  Atomics.add(new Int32Array(counts), at, 1)
  return n
}

/** A step that looks at no signal, for so many ms of work. */
export const deaf = flow<Counting>('deaf', import.meta.url, { maxRequests: 2, keepSteps: true })
  .step('work', {
    map: (ms: number, { params }) => {
      const counts = new Int32Array(params.counts)
      Atomics.add(counts, 0, 1)
      // Until the test lets it go on.
      Atomics.wait(counts, 1, 0)
      return ms
    },
  })
  .step('after', { map: (ms: number, { params }) => counting(params, 2, ms) })
  .edge('work', 'after')

/** Many steps and large answers of one request, all of them kept. */
export const long = flow('long', import.meta.url, { maxRequests: 2, keepSteps: true })
  .forEach('all', {
    items: upTo,
    maxItems: 8_000,
    each: flow('three')
      .step('one', { map: (n: number) => n + 1 })
      .step('two', { map: (n: number) => n * 2 })
      .step('three', { map: (n: number) => n - 1 })
      .edge('one', 'two')
      .edge('two', 'three'),
    join: (all) => all.length,
  })
  .step('large', { map: (n: number) => new Uint8Array(1_000 * n).fill(3) })
  .edge('all', 'large')

/** The first item fails, and the others would go on for a minute. */
export const eager = flow<Counting>('eager', import.meta.url, { maxRequests: 4 }).forEach('all', {
  items: upTo,
  each: flow<Counting>('slow')
    .step('wait', {
      concurrency: 2,
      map: async (n: number, { signal, params }) => {
        counting(params, 0, n)
        if (n === 3) throw new Error('the fourth')
        try {
          await sleep(60_000, undefined, { signal })
        } catch {
          counting(params, 1, n)
        }
        return n
      },
    })
    .step('after', { map: (n: number, { params }) => counting(params, 2, n) })
    .edge('wait', 'after'),
})

/** The last item cannot be done until the test says so. Counts calls: of the entry, of items that begin and of their first steps. */
export const flaky = flow<Counting>('flaky', import.meta.url, { maxRequests: 4, keepSteps: true })
  .step('entry', { map: (n: number, { params }) => counting(params, 0, n) })
  .forEach('all', {
    items: upTo,
    onError: 'collect',
    each: flow<Counting>('each')
      .step('first', { map: (n: number, { params }) => counting(params, 1, n) })
      .step('twice', {
        map: (n: number, { params }) => {
          counting(params, 2, n)
          if (n === 2 && Atomics.load(new Int32Array(params.counts), 3) === 0) throw new Error('not yet')
          return 2 * n
        },
      })
      .edge('first', 'twice'),
    join: (outcomes) => {
      const fault = outcomes.find((outcome) => outcome.fault !== undefined)?.fault
      if (fault !== undefined) throw new Error(fault.message)
      return outcomes.map(({ answer }) => answer)
    },
  })
  .edge('entry', 'all')

/** How often `finally` was called for each request of `exact`, in the thread that runs it. */
export const ends = new Map<string, number>()

/** Kills that are none of a step's fault: it is called again after each. */
const MANY = { maxCrashes: 100 } as const

/** A diamond with a branch and items behind it: each answer is that of its own request. */
export const exact = flow('exact', import.meta.url, { maxRequests: 128 })
  .step('ask', { ...MANY, map: (n: number) => n })
  .step('left', { ...MANY, concurrency: 2, map: async (n: number) => 2 * n })
  .step('right', { ...MANY, map: (n: number) => n + 1 })
  .step('both', { ...MANY, join: ({ left, right }) => ({ n: right - 1, left, right }) })
  .branch('some', {
    ...MANY,
    when: ({ n }: { n: number }) => (n % 3 === 0 ? 'items' : n % 3 === 1 ? 'plain' : []),
    branches: {
      items: flow('items').forEach('each', {
        ...MANY,
        items: ({ n }: { n: number }) => upTo(n % 5).map((i) => n + i),
        maxItems: 5,
        each: flow('item').step('item', { ...MANY, map: (n: number) => -n }),
      }),
      plain: flow('plain').step('plain', {
        ...MANY,
        map: ({ left, right }: { left: number; right: number }) => left + right,
      }),
    },
  })
  .step('tell', { ...MANY, map: (some: unknown) => JSON.stringify(some) })
  .edge('ask', 'left')
  .edge('ask', 'right')
  .edge('left', 'both')
  .edge('right', 'both')
  .edge('both', 'some')
  .edge('some', 'tell')
  .finally(({ id }) => {
    ends.set(id, (ends.get(id) ?? 0) + 1)
  })

/** What `exact` answers. */
export function exactAnswer(n: number): string {
  if (n % 3 === 0) return JSON.stringify({ items: upTo(n % 5).map((i) => -(n + i)) })
  if (n % 3 === 1) return JSON.stringify({ plain: 3 * n + 1 })
  return JSON.stringify({ n, left: 2 * n, right: n + 1 })
}

/** Items with answers that fill most of the room of their join; those from `slowFrom` on wait for their signal. */
export const filling = flow('filling', import.meta.url, { maxRequests: 1, joinBytes: 1_048_576 }).forEach('all', {
  items: ({ items, slowFrom }: { items: number; slowFrom: number }) =>
    upTo(items).map((n) => ({ n, isSlow: n >= slowFrom })),
  each: flow('one').step('one', {
    maxInFlight: 8,
    map: async ({ n, isSlow }: { n: number; isSlow: boolean }, { signal }) => {
      if (isSlow) await sleep(60_000, undefined, { signal }).catch(() => undefined)
      return new Uint8Array(1_000).fill(n)
    },
  }),
  join: (all) => all.reduce((sum, bytes) => sum + bytes.byteLength, 0),
})

/** Of each item that is odd a flow makes a text, and nothing of the others. */
export const partly = flow('partly', import.meta.url, { maxRequests: 4, keepSteps: true }).forEach('all', {
  items: upTo,
  each: flow('each').branch('kind', {
    when: (n: number) => (n % 2 === 1 ? 'odd' : []),
    branches: { odd: flow('odd').step('odd', { map: (n: number) => `odd ${n}` }) },
  }),
})

/** Has problems, and is nobody's but its own: the others of this module run. */
export const broken = flow('broken', import.meta.url)
