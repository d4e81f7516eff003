/**
 * `node --conditions=net build/test/net/main.js [--deaths N] [--seed S] [--rounds N] [--jobs N] [--json]` (or `npm run net -- …`): rounds
 * of random graphs until so many workers have died, in as many processes as there are cores; `--rounds` counts those of one process.
 * Prints each fault with the seed that replays it, and ends with 1 if there is one.
 */
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { round } from './round.ts'

const { values } = parseArgs({
  options: {
    deaths: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string' },
    jobs: { type: 'string' },
    json: { type: 'boolean', default: false },
    'most-faults': { type: 'string', default: '10' },
  },
})

/** Between the first seeds of two processes. */
const SEEDS_APART = 10_000_000

interface Summary {
  readonly deaths: number
  readonly records: number
  readonly rounds: number
  readonly steps: number
  readonly resizes: number
  readonly faults: readonly { readonly seed: number; readonly faults: readonly string[] }[]
}

const startedAt = performance.now()
const [deaths, seed] = [Number(values.deaths), Number(values.seed)]
const jobs = Number(values.jobs ?? (values.rounds === undefined ? availableParallelism() : 1))
const summary = jobs > 1 ? await playInProcesses() : await play()
const seconds = Math.round((performance.now() - startedAt) / 100) / 10
const { rounds, records, resizes, faults } = summary
const text = `${rounds} rounds, ${records} records, ${summary.deaths} deaths, ${resizes} resizes, ${faults.length} faults, ${seconds} s`
process.stdout.write(`${values.json ? JSON.stringify({ ...summary, seconds }) : text}\n`)
process.exitCode = faults.length > 0 ? 1 : 0

async function play(): Promise<Summary> {
  const most = Number(values.rounds ?? Infinity)
  const played = { deaths: 0, records: 0, rounds: 0, steps: 0, resizes: 0, faults: [] as Summary['faults'][number][] }
  for (let next = seed; played.deaths < deaths && played.rounds < most; next++) {
    if (process.env['NET_TRACE'] === '1') console.error(`seed ${next}`)
    const result = await round(next)
    played.rounds++
    played.deaths += result.deaths
    played.records += result.records
    played.steps += result.steps
    played.resizes += result.resizes
    if (result.faults.length === 0) continue
    played.faults.push({ seed: next, faults: result.faults })
    console.error(`seed ${next}:\n  ${result.faults.join('\n  ')}`)
    if (played.faults.length >= Number(values['most-faults'])) break
  }
  return played
}

async function playInProcesses(): Promise<Summary> {
  const each = Array.from({ length: jobs }, (_, job) => [
    fileURLToPath(import.meta.url),
    '--json',
    '--jobs=1',
    `--most-faults=${values['most-faults']}`,
    `--deaths=${Math.ceil(deaths / jobs)}`,
    `--seed=${seed + job * SEEDS_APART}`,
  ])
  const summaries = await Promise.all(each.map(summaryOf))
  const sum = (figure: 'deaths' | 'records' | 'rounds' | 'steps' | 'resizes'): number =>
    summaries.reduce((total, one) => total + one[figure], 0)
  return {
    deaths: sum('deaths'),
    records: sum('records'),
    rounds: sum('rounds'),
    steps: sum('steps'),
    resizes: sum('resizes'),
    faults: summaries.flatMap((one) => one.faults),
  }
}

/** One that finds faults ends with 1, and has its summary nevertheless. */
async function summaryOf(args: readonly string[]): Promise<Summary> {
  const ended = promisify(execFile)(process.execPath, [...process.execArgv, ...args], { maxBuffer: 1 << 26 })
  ended.child.stderr!.pipe(process.stderr)
  const { stdout } = await ended.catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }))
  if (!stdout.startsWith('{')) throw new Error(`a process of the net ended without a summary: ${args.join(' ')}`)
  return JSON.parse(stdout) as Summary
}
