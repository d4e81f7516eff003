import { existsSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { flow } from 'millrace/flow'

/** One step. */
export const said = flow('said', import.meta.url).step('say', { map: (text: string) => `you said "${text}"` })

/** Answers what it is asked, whatever that is. */
export const echo = flow('echo', import.meta.url).step('echo', { map: (input: unknown) => input })

/** Steps one after the other. */
export const serial = flow('serial', import.meta.url)
  .step('first', { map: (text: string) => `1(${text})` })
  .step('second', { map: async (text: string) => `2(${text})` })
  .step('third', { map: (text: string) => `3(${text})` })
  .edge('first', 'second')
  .edge('second', 'third')

export interface Asked {
  readonly n: number
  /** A step that is to fail. */
  readonly fails?: string
  readonly waitMs?: number
}

function fail(step: string, { fails, n }: Asked): void {
  if (fails === step) throw new Error(`${step} cannot do ${n}`)
}

/** Kills that are none of a step's fault: it is called again after each. */
const MANY_CRASHES = { maxCrashes: 100 } as const

/** Two steps side by side, then one that joins their answers. */
export const diamond = flow('diamond', import.meta.url, { maxRequests: 64 })
  .step('ask', {
    ...MANY_CRASHES,
    map: (asked: Asked) => {
      fail('ask', asked)
      return asked
    },
  })
  .step('left', {
    ...MANY_CRASHES,
    concurrency: 2,
    map: async (asked: Asked) => {
      if (asked.waitMs !== undefined) await sleep(asked.waitMs)
      fail('left', asked)
      return { asked, left: asked.n * 2 }
    },
  })
  .step('right', {
    ...MANY_CRASHES,
    map: (asked: Asked) => {
      fail('right', asked)
      if (asked.fails === 'right cannot be sent') return { right: (() => asked.n) as unknown as number }
      return { right: asked.n + 1 }
    },
  })
  .step('both', {
    ...MANY_CRASHES,
    join: ({ left, right }) => ({ ...left, ...right }),
    map: ({ asked, left, right }) => {
      fail('both', asked)
      return { n: asked.n, left, right, sum: left + right }
    },
  })
  .edge('ask', 'left')
  .edge('ask', 'right')
  .edge('left', 'both')
  .edge('right', 'both')

/** Edges that change what goes over them, and that carry order only. */
export const edges = flow('edges', import.meta.url)
  .step('start', { map: (n: number) => ({ n }) })
  .step('plus', { map: (n: number) => n + 1 })
  .step('times', { map: (n: number) => n * 10 })
  .step('after', { map: (nothing: undefined) => (nothing === undefined ? 'nothing' : 'something') })
  .step('all', { join: (answers) => answers })
  .edge('start', 'plus', { map: ({ n }) => n })
  .edge('start', 'times', { map: ({ n }) => n + 100 })
  .edge('start', 'after', { data: false })
  .edge('plus', 'all')
  .edge('times', 'all')
  .edge('after', 'all', { data: false })

const double = flow('double').step('twice', { map: (n: number) => 2 * n })
const text = flow('text')
  .step('text', { map: (n: number) => `${n}` })
  .step('long', { map: (short: string) => `<${short}>` })
  .edge('text', 'long')
const broken = flow('broken').step('breaks', {
  map: (n: number): number => {
    throw new Error(`no ${n}`)
  },
})

/** None, one or several of three flows. */
export const branches = flow('branches', import.meta.url)
  .branch('pick', {
    when: ({ take }: { take: readonly string[]; n: number }) => take as ('double' | 'text' | 'broken')[],
    branches: {
      double: flow('double')
        .step('n', { map: ({ n }: { n: number }) => n })
        .subflow('inner', double)
        .edge('n', 'inner'),
      text: flow('text')
        .step('n', { map: ({ n }: { n: number }) => n })
        .subflow('inner', text)
        .edge('n', 'inner'),
      broken: flow('broken')
        .step('n', { map: ({ n }: { n: number }) => n })
        .subflow('inner', broken)
        .edge('n', 'inner'),
    },
  })
  .step('last', { map: (picked: unknown) => ({ picked }) })
  .edge('pick', 'last')

export const strict = flow('strict', import.meta.url).branch('pick', {
  when: (n: number) => (n > 0 ? 'double' : undefined),
  branches: { double },
  onNone: 'fail',
  join: ({ double: doubled }) => ({ doubled }),
})

/** The same flow twice. */
export const twice = flow('twice', import.meta.url)
  .subflow('one', double)
  .subflow('two', double)
  .subflow('three', text)
  .edge('one', 'two')
  .edge('two', 'three')

const risky = flow('risky').step('root', {
  map: async (n: number, { path }) => {
    if (n % 5 === 4) throw new Error(`no root of ${n}`)
    return { n, path: path.join('.') }
  },
  concurrency: 2,
})

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

export const items = flow('items', import.meta.url)
  .forEach('all', { items: upTo, each: risky })
  .step('count', { map: (answers: readonly { n: number; path: string }[]) => answers })
  .edge('all', 'count')

export const skipping = flow('skipping', import.meta.url).forEach('all', {
  items: async function* (n: number) {
    yield* upTo(n)
  },
  each: risky,
  onError: 'skip',
  join: (answers) => answers.map(({ n }) => n),
})

export const collecting = flow('collecting', import.meta.url).forEach('all', {
  items: upTo,
  each: risky,
  onError: 'collect',
  maxItems: 20,
  join: (outcomes) => outcomes.map(({ answer, fault }) => answer?.n ?? fault?.message),
})

/** What is to be a list is none. */
export const listless = flow('listless', import.meta.url).forEach('all', {
  items: (n: number) => n as unknown as number[],
  each: risky,
})

/** Items of items, with a diamond in each. */
export const nested = flow('nested', import.meta.url, { maxRequests: 16 }).forEach('rows', {
  ...MANY_CRASHES,
  items: (size: number) => upTo(size).map((row) => ({ row, size })),
  maxItems: 50,
  each: flow('row').forEach('cells', {
    ...MANY_CRASHES,
    items: ({ row, size }: { row: number; size: number }) => upTo(size).map((column) => ({ row, column })),
    maxItems: 50,
    each: flow('cell')
      .step('cell', { ...MANY_CRASHES, map: (cell: { row: number; column: number }) => cell })
      .step('sum', { ...MANY_CRASHES, map: ({ row, column }: { row: number; column: number }) => row + column })
      .step('product', { ...MANY_CRASHES, map: ({ row, column }: { row: number; column: number }) => row * column })
      .step('both', { ...MANY_CRASHES, join: ({ sum, product }) => `${sum}/${product}` })
      .edge('cell', 'sum')
      .edge('cell', 'product')
      .edge('sum', 'both')
      .edge('product', 'both'),
  }),
})

/** A step that fails, and what answers in its place. */
export const recovering = flow('recovering', import.meta.url)
  .step('divide', {
    map: ({ by }: { by: number }) => {
      if (by === 0) throw new RangeError('by nothing')
      if (by < 0) throw new TypeError('below nothing')
      return { result: 1 / by }
    },
    onFailure: ({ name, message, attempts }, { by }) => {
      if (name === 'TypeError') throw new Error(`cannot help with ${by}: ${message}`)
      return { result: -attempts }
    },
    retry: { maxAttempts: 3, baseMs: 1 },
  })
  .step('after', { map: ({ result }: { result: number }) => result })
  .edge('divide', 'after')

/** What `hooked` has called, in the thread that runs it. */
export const called: string[] = []

export const hooked = flow('hooked', import.meta.url)
  .step('risk', {
    map: async (wish: 'works' | 'fails' | 'waits' | 'hopeless', { signal }): Promise<string> => {
      if (wish === 'waits') await sleep(60_000, undefined, { signal })
      if (wish !== 'works') throw new Error(wish)
      return wish
    },
  })
  .onFailure((error, { id, state }) => {
    called.push(`${id} ${state}`)
    if (id === 'hopeless') throw new RangeError('no answer', { cause: error })
    return 'instead'
  })
  .finally(async ({ id, state, endedAt }) => {
    await sleep(1)
    called.push(`finally ${id} ${state} ${endedAt !== undefined}`)
    if (id === 'works') throw new Error('finally itself')
  })

/** A step that ends the thread of its worker, by every tenth input. */
export const deadly = flow('deadly', import.meta.url)
  .step('risk', {
    map: (n: number) => {
      if (n % 10 === 9) process.exit(1)
      return n
    },
    restart: { maxRestarts: 1_000, backoffMs: 0, maxPoison: 1 },
  })
  .step('safe', { map: (n: number) => -n })
  .step('both', { join: ({ risk, safe }) => risk + safe })
  .step('entry', { map: (n: number) => n })
  .edge('entry', 'risk')
  .edge('entry', 'safe')
  .edge('risk', 'both')
  .edge('safe', 'both')

/** What `waiting` counts: calls that began, that were aborted, and calls of the step after it. */
export const [BEGAN, ABORTED, WENT_ON] = [0, 1, 2]

/** Steps that wait, and count in shared memory. */
export const waiting = flow<{ counts: SharedArrayBuffer }>('waiting', import.meta.url, { maxRequests: 4 })
  .step('wait', {
    map: async (ms: number, { signal, params }) => {
      const counts = new Int32Array(params.counts)
      Atomics.add(counts, BEGAN, 1)
      try {
        await sleep(ms, undefined, { signal })
      } catch {
        Atomics.add(counts, ABORTED, 1)
      }
      return ms
    },
  })
  .step('then', {
    map: (ms: number, { params }) => {
      Atomics.add(new Int32Array(params.counts), WENT_ON, 1)
      return ms
    },
  })
  .edge('wait', 'then')

/** What a step finds in its context. */
export const context = flow<{ greeting: string }>('context', import.meta.url).step('tell', {
  setup: ({ worker }) => ({ worker }),
  map: (name: string, { request, step, attempt, params, state, path }) =>
    ({ text: `${params.greeting} ${name}`, request, step, attempt, worker: state.worker, path }) as const,
})

/** Answers of any size that are joined. */
export const sizes = flow('sizes', import.meta.url, { maxRequests: 8, joinBytes: 65_536 })
  .step('size', { map: (bytes: number) => bytes })
  .step('large', { map: (bytes: number) => new Uint8Array(bytes).fill(7) })
  .step('small', { map: (bytes: number) => bytes })
  .step('both', {
    join: ({ large, small }) => ({ same: large.byteLength === small, sum: large.reduce((a, b) => a + b, 0) }),
  })
  .edge('size', 'large')
  .edge('size', 'small')
  .edge('large', 'both')
  .edge('small', 'both')

/** What a racer of `race` does: `wait` ms, and whether it looks at its signal. */
export interface Racer {
  readonly ms: number
  readonly fails?: boolean
}

function racer(name: string): (given: Racers, context: { signal: AbortSignal; params: Counted }) => Promise<string> {
  return async (given, { signal, params }) => {
    const { ms, fails } = given[name]!
    try {
      await sleep(ms, undefined, { signal })
    } catch (error) {
      Atomics.add(new Int32Array(params.counts), ABORTED, 1)
      throw error
    }
    if (fails === true) throw new Error(`${name} fails`)
    return name
  }
}

type Racers = Readonly<Record<string, Racer>>
interface Counted {
  readonly counts: SharedArrayBuffer
}

/** Three ways of which `enough` are enough. The last one has a step more, which counts its calls. */
function ways(name: string, enough: number) {
  return flow<Counted>(name, import.meta.url, { maxRequests: 32 })
    .step('ask', { ...MANY_CRASHES, map: (given: Racers) => given })
    .step('a', { ...MANY_CRASHES, map: racer('a') })
    .step('b', { ...MANY_CRASHES, map: racer('b') })
    .step('c', { ...MANY_CRASHES, map: racer('c') })
    .step('more', {
      ...MANY_CRASHES,
      map: (text: string, { params }) => {
        Atomics.add(new Int32Array(params.counts), WENT_ON, 1)
        return text
      },
    })
    .step('first', {
      ...MANY_CRASHES,
      quorum: enough,
      join: ({ a, b, more }) => [a, b, more].filter((text) => text !== undefined),
      map: (texts) => texts.join(),
    })
    .edge('ask', 'a')
    .edge('ask', 'b')
    .edge('ask', 'c')
    .edge('c', 'more')
    .edge('a', 'first')
    .edge('b', 'first')
    .edge('more', 'first')
}

export const race = ways('race', 1)
export const two = ways('two', 2)

/** What `trip` did and undid, in the thread of its workers: they write it to a file. */
export interface Trip {
  readonly id: string
  readonly log: string
  readonly fails?: string
  readonly waits?: string
  readonly stubborn?: boolean
}

async function book(what: string, { log, fails, waits, id }: Trip, signal?: AbortSignal): Promise<string> {
  if (fails === what) throw new Error(`no ${what}`)
  await appendFile(log, `${what} of ${id}\n`)
  if (waits === what) await sleep(60_000, undefined, { signal })
  return `${what} of ${id}`
}

/** Bookings that are given back if a later one fails. */
export const trip = flow('trip', import.meta.url, { maxRequests: 32 })
  .step('start', { ...MANY_CRASHES, map: (given: Trip) => given })
  .step('hotel', {
    ...MANY_CRASHES,
    map: async (given: Trip) => ({ given, what: await book('hotel', given) }),
    undo: ({ given, what }) => appendFile(given.log, `no ${what}\n`),
  })
  .step('flight', {
    ...MANY_CRASHES,
    map: async ({ given }: { given: Trip }) => ({ given, what: await book('flight', given) }),
    undo: async ({ given, what }, { attempt }) => {
      if (given.stubborn === true && attempt < 3) throw new Error('not yet')
      await appendFile(given.log, `no ${what}\n`)
    },
  })
  .step('car', {
    ...MANY_CRASHES,
    map: async ({ given }: { given: Trip }, { signal }) => book('car', given, signal),
  })
  .edge('start', 'hotel')
  .edge('hotel', 'flight')
  .edge('flight', 'car')

/** Steps, items and a branch that write what they do to a file, and wait while a file stands beside it. */
export const kept = flow('kept', import.meta.url, { maxRequests: 8, keepSteps: true })
  .step('first', { ...MANY_CRASHES, map: (given: Kept) => noted(given, 'first') })
  .step('left', { ...MANY_CRASHES, map: (given: Kept) => noted(given, 'left') })
  .step('right', { ...MANY_CRASHES, map: (given: Kept, { signal }) => noted(given, 'right', signal) })
  .step('both', { ...MANY_CRASHES, join: ({ left }) => left })
  .forEach('items', {
    ...MANY_CRASHES,
    items: (given: Kept) => upTo(given.items).map((n) => ({ ...given, n })),
    each: flow('item').step('item', {
      ...MANY_CRASHES,
      map: (given: Kept & { n: number }, { signal }) => noted(given, `item${given.n}`, signal),
    }),
    join: (all) => ({ log: all[0]!.log, names: all.map(({ n }) => n) }),
  })
  .step('last', {
    ...MANY_CRASHES,
    map: async ({ log, names }: { log: string; names: readonly number[] }) => {
      await appendFile(log, 'last\n')
      return names
    },
  })
  .edge('first', 'left')
  .edge('first', 'right')
  .edge('left', 'both')
  .edge('right', 'both')
  .edge('both', 'items')
  .edge('items', 'last')

export interface Kept {
  readonly log: string
  readonly items: number
}

async function noted<G extends Kept>(given: G, what: string, signal?: AbortSignal): Promise<G> {
  await appendFile(given.log, `${what}\n`)
  while (existsSync(`${given.log}.${what}`)) await sleep(2, undefined, { signal })
  return given
}
