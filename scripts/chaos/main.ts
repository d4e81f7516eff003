/**
 * Runs random graphs and kills their workers at random moments: `npm run chaos -- --kills N --seed S [--json]`.
 * Exit code 1 unless every record came out exactly once.
 */
import { parseArgs } from 'node:util'
import { type Summary, chaos } from './chaos.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})
const [kills, seed] = [Number(values.kills), Number(values.seed)]
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error('--kills takes a whole number from 1 on, --seed a whole number.')
  process.exit(2)
}
const isTerminal = process.stderr.isTTY
const summary = await chaos(kills, seed, {
  onRound: (result, total) => {
    if (values.verbose)
      console.error(JSON.stringify({ ...result, recoveriesMs: Object.values(result.recoveriesMs).flat().length }))
    if (isTerminal) process.stderr.write(`\r${total.kills} of ${kills} kills, ${total.records} records `)
  },
  onFault: (text) => console.error(text),
})
if (isTerminal) process.stderr.write('\r\x1b[K')
console.log(values.json ? JSON.stringify(summary) : inWords(summary))
process.exitCode = summary.lost === 0 && summary.duplicated === 0 && summary.faults === 0 ? 0 : 1

function inWords({ kills: done, records, lost, duplicated, restarts, medianRecoveryMs, seconds }: Summary): string {
  return (
    `${done} kills in ${seconds} s, seed ${seed}: ${records} records, ${lost} lost, ${duplicated} duplicated; ` +
    `${restarts} restarts, median recovery ${medianRecoveryMs} ms.`
  )
}
