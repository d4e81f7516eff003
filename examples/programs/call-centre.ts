/**
 * Simulates a call centre on every core: thousands of days with random calls, to find how many people keep nine callers of ten
 * waiting for less than 20 seconds. A seed gives the same answer each time, however many cores there are.
 *
 *     node call-centre.js [DAYS] [SEED]
 */
import { availableCores, dataflow, run } from 'millrace'

interface Params {
  readonly days: number
  readonly seed: number
}

interface Day {
  readonly people: number
  readonly seed: number
}

interface Outcome {
  readonly people: number
  readonly calls: number
  readonly inTime: number
}

const CALLS_PER_SECOND = 1 / 15
const SECONDS_PER_CALL = 180
const DAY_SECONDS = 8 * 3_600
const PATIENCE_SECONDS = 20

/** A small generator of random numbers (mulberry32): the same ones for the same seed. */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One day: calls come at random, and each goes to who is free first. */
function simulate({ people, seed }: Day): Outcome {
  const next = random(seed)
  const exponential = (mean: number): number => -Math.log(1 - next()) * mean
  const freeAt = new Float64Array(people)
  let calls = 0
  let inTime = 0
  for (let now = exponential(1 / CALLS_PER_SECOND); now < DAY_SECONDS; now += exponential(1 / CALLS_PER_SECOND)) {
    let first = 0
    for (let i = 1; i < people; i++) if (freeAt[i]! < freeAt[first]!) first = i
    const start = Math.max(now, freeAt[first]!)
    freeAt[first] = start + exponential(SECONDS_PER_CALL)
    calls++
    if (start - now <= PATIENCE_SECONDS) inTime++
  }
  return { people, calls, inTime }
}

function* daysOf({ days, seed }: Params): Generator<Day> {
  for (let people = 13; people <= 19; people++) {
    for (let day = 0; day < days; day++) yield { people, seed: seed + people * 1_000_003 + day }
  }
}

const graph = dataflow<Params>('call-centre', import.meta.url)
  .source('days', { chunk: 16, produce: ({ params }) => daysOf(params) })
  .transform('simulate', { concurrency: Math.max(1, Math.floor(availableCores())), map: simulate })
  .sink('outcomes')
  .connect('days', 'simulate', { dataType: 'day' })
  .connect('simulate', 'outcomes', { dataType: 'outcome' })

export default graph

const [days = '1000', seed = '1'] = process.argv.slice(2)
const pipeline = await run(graph, { params: { days: Number(days), seed: Number(seed) } })
const sums = new Map<number, { calls: number; inTime: number }>()
for await (const record of pipeline.output('outcomes')) {
  const { people, calls, inTime } = record as Outcome
  const sum = sums.get(people) ?? { calls: 0, inTime: 0 }
  sums.set(people, { calls: sum.calls + calls, inTime: sum.inTime + inTime })
}
for (const [people, { calls, inTime }] of [...sums].sort(([a], [b]) => a - b)) {
  console.log(`${people} people: ${((100 * inTime) / calls).toFixed(2)} % in time`)
}
