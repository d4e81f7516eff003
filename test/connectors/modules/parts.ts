/** Graphs whose buffers lie in brokers. What their records do is said by the parameters, what became of them is in files. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { dataflow, type Failure, type GraphData, mark, type Via } from 'millrace'
import { nats } from 'millrace/nats'
import { postgres } from 'millrace/postgres'
import { rabbitmq } from 'millrace/rabbitmq'
import { redis } from 'millrace/redis'

const MAKERS: Readonly<Record<Via['technology'], (options: any) => Via>> = { nats, redis, rabbitmq, postgres }

/** As a user writes it. */
function addressed({ technology, ...options }: Via): Via {
  return MAKERS[technology](options)
}

export interface PartsParams {
  readonly one: Via
  readonly two: Via
  readonly folder: string
  /** Another version of the graph. */
  readonly isOther?: boolean
  readonly capacity?: number
}

const BATCH = 50
const WORK_MS = 5

/** The number up to which is made; none is said yet where the file is not there. */
function enough(folder: string): number {
  const path = join(folder, 'enough')
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : Infinity
}

/**
 * make → (one) → work → (two) → keep. The numbers begin at 0 in each process; their ids say that they are the same. They end once the
 * file `enough` says where.
 */
export function threeParts({ one, two, folder, capacity = 300 }: PartsParams): GraphData {
  return dataflow('three-parts', import.meta.url)
    .source('make', {
      setup: () => ({ next: 0 }),
      poll: (demand: number, { cursor, state }) => {
        if (typeof cursor === 'number' && state.next === 0) state.next = cursor + 1
        const { next } = state
        const end = enough(folder)
        if (next > end) return null
        const count = Math.min(demand, BATCH, end - next + 1)
        state.next += count
        return Array.from({ length: count }, (_, i) => mark(next + i, { cursor: next + i }))
      },
      pollMs: 1,
      // So that it is not far ahead of what is kept.
      window: 64,
    })
    .buffer('one', { capacity, via: addressed(one) })
    .transform('work', {
      maxInFlight: 16,
      map: async (n: number) => {
        await sleep(WORK_MS)
        return { n, at: new Date(n), big: BigInt(n) }
      },
    })
    .buffer('two', { capacity, via: addressed(two) })
    .sink('keep', {
      write: ({ n, at, big }: { n: number; at: Date; big: bigint }, { id }) => {
        const isWhole = at.getTime() === n && big === BigInt(n)
        appendFileSync(join(folder, 'kept'), `${n} ${id} ${isWhole}\n`)
      },
    })
    .connect('make', 'one')
    .connect('one', 'work')
    .connect('work', 'two')
    .connect('two', 'keep')
}

/** in (pushed) → (one) → out, and what is no record to `dead`. */
export function twoParts({ one, folder, isOther = false, capacity = 1_000 }: PartsParams): GraphData {
  const write = (file: string, line: string): void => appendFileSync(join(folder, file), `${line}\n`)
  const graph = dataflow('two-parts', import.meta.url)
    .source('in', { push: true })
    .buffer('one', { capacity, via: addressed(one) })
    .transform('take', {
      map: async (n: number) => {
        while (existsSync(join(folder, 'gate'))) await sleep(5)
        return n
      },
    })
    .sink('out', { write: (n: number, { trace }) => write('out', `${n} ${trace?.id ?? ''}`) })
    .sink('dead', { write: ({ error }: Failure) => write('dead', error.message) })
    .connect('in', 'one')
    .connect('one', 'take', isOther ? { dataType: 'Other' } : {})
    .connect('take', 'out')
    .connect('one', 'dead', { pathType: 'dead_letter' })
  return graph
}
