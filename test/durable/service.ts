/** A process that pushes numbers into a durable run until it is killed, and writes down which of them were accepted. */
import { appendFileSync } from 'node:fs'
import { type Pipeline, run } from 'millrace'
import { type Place, importer, ledger, table } from './graphs.js'

/** What it is told. */
export interface Orders {
  readonly kind: 'ledger' | 'table' | 'importer'
  readonly dir: string
  readonly accepted: string
  /** The first number; none are pushed where there is none. */
  readonly from?: number
  readonly place: Place
}

/** Pushes that overlap. */
const AT_ONCE = 64

const orders = JSON.parse(process.argv[2]!) as Orders
const { kind, dir, accepted, from, place } = orders
// A machine with much to do takes its time.
const options = { durable: { dir, segmentBytes: 16_384, cursorMs: 20 }, startDeadlineMs: 300_000 }

async function started(): Promise<Pipeline> {
  if (kind === 'table') return run(table, { params: place, ...options })
  return run(kind === 'ledger' ? ledger : importer, { params: place, ...options })
}

const pipeline = await started()
if (from === undefined) await (kind === 'importer' ? pipeline.finished : pipeline.drain())
else {
  let next = from
  const push = async (): Promise<void> => {
    for (;;) {
      const n = next++
      await pipeline.push('in', n)
      appendFileSync(accepted, `${n}\n`)
      if (n === from) process.stdout.write('accepted\n')
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, push))
}
