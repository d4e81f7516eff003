/**
 * `node --conditions=net build/test/net/main.js [--deaths N] [--seed S] [--rounds N] [--json]` (or `npm run net -- …`): rounds of random graphs until
 * so many workers have died. Prints each fault with the seed that replays it, and ends with 1 where there is one.
 */
import { parseArgs } from 'node:util'
import { round } from './round.ts'

const { values } = parseArgs({
  options: {
    deaths: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: 'Infinity' },
    json: { type: 'boolean', default: false },
    'most-faults': { type: 'string', default: '10' },
  },
})

const startedAt = performance.now()

let [deaths, records, rounds, steps, resizes] = [0, 0, 0, 0, 0]
const faults: { seed: number; faults: readonly string[] }[] = []
for (let seed = Number(values.seed); deaths < Number(values.deaths) && rounds < Number(values.rounds); seed++) {
  if (process.env['NET_TRACE'] === '1') console.error(`seed ${seed}`)
  const result = await round(seed)
  rounds++
  deaths += result.deaths
  records += result.records
  steps += result.steps
  resizes += result.resizes
  if (result.faults.length > 0) {
    faults.push({ seed, faults: result.faults })
    if (!values.json) console.error(`seed ${seed}:\n  ${result.faults.join('\n  ')}`)
    if (faults.length >= Number(values['most-faults'])) break
  }
}
const seconds = (performance.now() - startedAt) / 1000
const summary = { deaths, records, rounds, steps, resizes, seconds: Math.round(seconds * 10) / 10, faults }
const text = `${rounds} rounds, ${records} records, ${deaths} deaths, ${resizes} resizes, ${faults.length} faults, ${summary.seconds} s`
process.stdout.write(`${values.json ? JSON.stringify(summary) : text}\n`)
process.exitCode = faults.length > 0 ? 1 : 0
