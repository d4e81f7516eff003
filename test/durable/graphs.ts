import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, type SourceContext, dataflow, mark } from 'millrace'
import { postgresSink } from 'millrace/postgres'

/** Where the sinks of these graphs write. */
export interface Place {
  readonly ledger: string
  /** A table of PostgreSQL, where the ledger is one. */
  readonly url?: string
  readonly table?: string
  /** Records of the importer. */
  readonly records?: number
}

interface Row {
  readonly id: string
  readonly n: number
}

async function wait(n: number): Promise<number> {
  await sleep(n % 7)
  return n
}

function toRow(n: number, { id }: { readonly id: string }): Row {
  return { id, n }
}

/** One line for each record: its id, and what it is. */
function writeDown(rows: readonly Row[], { params }: Context): void {
  appendFileSync((params as Place).ledger, rows.map(({ id, n }) => `${id} ${n}\n`).join(''))
}

/** Records that are pushed in, several in a chunk, worked on by two stages, and written to a file. */
export const ledger = dataflow('ledger', import.meta.url)
  .source('in', { push: true, chunk: 8 })
  .transform('wait', { concurrency: 2, maxInFlight: 16, map: wait })
  .transform('row', { map: toRow })
  .sink('file', { batch: { size: 20, timeoutMs: 2 }, write: writeDown })
  .connect('in', 'wait')
  .connect('wait', 'row')
  .connect('row', 'file')

/** The same into a table: the stable id is its key, so a row comes once, however often it is written. */
export function table({ url = '', table: name = '' }: Place) {
  return dataflow('table', import.meta.url)
    .source('in', { push: true })
    .transform('wait', { concurrency: 2, maxInFlight: 16, map: wait })
    .transform('row', { map: toRow })
    .sink('rows', postgresSink<Row>({ url, table: name, key: ['id'], whenExists: 'keep' }))
    .connect('in', 'wait')
    .connect('wait', 'row')
    .connect('row', 'rows')
}

function* numbered({ cursor, worker, workers, params }: SourceContext) {
  const last = typeof cursor === 'number' ? cursor : worker - workers
  for (let n = last + workers; n < (params as Place).records!; n += workers) yield mark(n, { cursor: n })
}

/** A source that goes on at its cursor. Nothing here keeps one. */
export const importer = dataflow('importer', import.meta.url)
  .source('log', { concurrency: 2, produce: numbered, window: 64, chunk: 4 })
  .transform('wait', { maxInFlight: 32, map: wait })
  .transform('row', { map: toRow })
  .sink('file', { batch: { size: 20, timeoutMs: 2 }, write: writeDown })
  .connect('log', 'wait')
  .connect('wait', 'row')
  .connect('row', 'file')

/** Records that wait in an output that nobody reads; one that is below zero fails, and all wait for ever where they are to. */
export const slow = dataflow('slow', import.meta.url)
  .source('in', { push: true })
  .transform('work', {
    maxInFlight: 8,
    map: async (n: number, { params }: Context) => {
      if (n < 0) throw new Error('below zero')
      if ((params as { waits: boolean }).waits) await sleep(3_600_000)
      return n
    },
  })
  .transform('row', { map: toRow })
  .sink('out')
  .connect('in', 'work')
  .connect('work', 'row')
  .connect('row', 'out')
