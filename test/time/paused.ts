/** A pipeline whose process is stopped in each of its phases: it says when, and what came of it. */
import { run } from 'millrace'
import { timed } from './graphs.js'

process.stdout.write('starting\n')
const pipeline = await run(timed, { startDeadlineMs: 1_900, stallMs: 1_500 })
const troubles: string[] = []
for (const name of ['worker.hung', 'worker.died', 'record.retried', 'record.failed', 'pipeline.stalled'] as const)
  pipeline.events.on(name, () => troubles.push(name))
process.stdout.write('working\n')
for (let n = 0; n < 12; n++) await pipeline.push('in', n)
process.stdout.write('draining\n')
const { acked, outcome, deadlinePassed } = await pipeline.drain({ deadlineMs: 3_500 })
process.stdout.write(`${JSON.stringify({ troubles, acked, outcome, deadlinePassed })}\n`)
