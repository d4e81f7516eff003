import { KINDS, type Kind } from './orders.ts'
import { Random } from '#src/test-kit/random.js'
import { type RoundResult, round } from './round.ts'
import { type Shape, shapeOf } from './shape.ts'

/** What came of all rounds. */
export interface Summary {
  readonly kills: number
  readonly records: number
  readonly lost: number
  readonly duplicated: number
  readonly restarts: number
  /** From a death to the successor's *ready*. */
  readonly medianRecoveryMs: number
  readonly medianRecoveryMsOfKind: Readonly<Record<string, number>>
  readonly seconds: number
  readonly seed: number
  readonly rounds: number
  /** Rounds with something wrong beside lost and duplicated records: a false count, a record that was never acked. */
  readonly faults: number
  readonly killsOfKind: Readonly<Record<string, number>>
}

const MOST_KILLS_A_ROUND = 25
/** Much of a round is waiting: for records to flow, for a death, for a successor. */
const ROUNDS_AT_ONCE = 2

/**
 * Plays rounds until so many workers were killed, some at a time. The first round has the seed itself, so one round can be
 * played again.
 * @param listener `onRound` after each round; `onFault` with a text for each round that failed
 */
export async function chaos(
  kills: number,
  seed: number,
  listener: {
    onRound?: (result: RoundResult, total: { kills: number; records: number }) => void
    onFault?: (text: string) => void
  } = {},
): Promise<Summary> {
  const startedAt = performance.now()
  const seeds = roundSeeds(seed)
  const recoveries = Object.fromEntries(KINDS.map((kind) => [kind, [] as number[]])) as Record<Kind, number[]>
  const total = { kills: 0, records: 0, lost: 0, duplicated: 0, rounds: 0, faults: 0 }
  const killsOfKind: Record<string, number> = Object.fromEntries(KINDS.map((kind) => [kind, 0]))
  const note = (result: RoundResult): void => {
    for (const kind of KINDS) {
      killsOfKind[kind]! += result.kills[kind]
      total.kills += result.kills[kind]
      recoveries[kind].push(...result.recoveriesMs[kind])
    }
    total.rounds++
    total.records += result.records
    total.lost += result.lost
    total.duplicated += result.duplicated
    total.faults += result.faults.length
    listener.onRound?.(result, total)
  }
  /** Kills of the rounds that are being played. */
  let underWay = 0
  const play = async (): Promise<void> => {
    while (total.kills + underWay < kills) {
      const wanted = Math.min(MOST_KILLS_A_ROUND, kills - total.kills - underWay)
      underWay += wanted
      const result = await round(seeds.next().value, wanted)
      underWay -= wanted
      note(result)
      const isRight = result.lost + result.duplicated + result.faults.length === 0
      if (!isRight) listener.onFault?.(faultText(result, wanted))
    }
  }
  await Promise.all(Array.from({ length: ROUNDS_AT_ONCE }, play))
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10
  const all = Object.values(recoveries).flat()
  const medianRecoveryMsOfKind = Object.fromEntries(KINDS.map((kind) => [kind, median(recoveries[kind])]))
  const told = { restarts: all.length, medianRecoveryMs: median(all), medianRecoveryMsOfKind }
  return { ...total, ...told, seconds, seed, killsOfKind }
}

function* roundSeeds(first: number): Generator<number, never> {
  const random = new Random(first)
  for (let seed = first; ; seed = random.between(0, 999_999_999)) yield seed
}

function faultText({ seed, lost, duplicated, faults, examples }: RoundResult, kills: number): string {
  return [
    `The round with seed ${seed} failed: ${lost} lost, ${duplicated} duplicated.`,
    ...faults,
    ...examples,
    `Its graph: ${describe(shapeOf(seed))}`,
    `To play it again: npm run chaos -- --seed ${seed} --kills ${kills}`,
  ].join('\n')
}

function describe({ nodes, edges, run }: Shape): string {
  const lines = nodes.map(({ id, concurrency, answers, options, ...rest }) => {
    const more = Object.entries(rest).filter(([key, value]) => NOTABLE.has(key) && value !== false && value !== 0)
    const { resourceLimits: _, ...told } = options
    return `  ${id} x${concurrency} ${answers} ${JSON.stringify({ ...Object.fromEntries(more), ...told })}`
  })
  const drawn = edges.map(({ from, to, options }) => `  ${from} -> ${to} ${JSON.stringify(options)}`)
  return [JSON.stringify(run), ...lines, ...drawn].join('\n')
}

const NOTABLE = new Set([
  'cursorEvery',
  'acks',
  'failures',
  'isHopeless',
  'emits',
  'partitioned',
  'batchedByKey',
  'padding',
])

function median(values: readonly number[]): number {
  if (values.length === 0) return 0
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round(10 * sorted[sorted.length >> 1]!) / 10
}
