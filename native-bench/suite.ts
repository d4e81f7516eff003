import { Bench } from 'tinybench'

/** What one burst came to: a tinybench iteration. */
export interface Burst {
  /** Milliseconds per record; for a latency, the latency itself. */
  readonly msPerRecord: number
  /** How long the burst took. */
  readonly tookMs: number
  /** Further figures of the same burst, by name; each becomes a row of its own. */
  readonly also?: Readonly<Record<string, Figure>>
}

export interface Figure {
  readonly value: number
  readonly unit: string
}

/** How a row's figure follows from the milliseconds per record. */
export const UNITS = {
  'records/s': (ms: number): number => 1000 / ms,
  'requests/s': (ms: number): number => 1000 / ms,
  ns: (ms: number): number => ms * 1e6,
  µs: (ms: number): number => ms * 1e3,
  ms: (ms: number): number => ms,
  /** Milliseconds of core time per millisecond. */
  '% of a core': (share: number): number => 100 * share,
} as const
export type Unit = keyof typeof UNITS

/** One of those who compete in a suite. A burst checks its own counts and sums, and throws where they are wrong. */
export interface Contender {
  readonly name: string
  readonly unit: Unit
  readonly burst: () => Promise<Burst>
}

/** Why a row has no figures: said in the row itself. */
export interface Absent {
  readonly name: string
  readonly unit: Unit
  readonly absent: string
}

/** A suite with its threads started. */
export interface Bout {
  readonly contenders: readonly (Contender | Absent)[]
  /** Key in the JSON: the row above by the row below, round by round. */
  readonly ratios: Readonly<Record<string, readonly [of: string, by: string]>>
  close(): Promise<void>
}

export interface Suite {
  readonly name: string
  readonly title: string
  open(scale: Scale): Promise<Bout>
}

/** How much is measured. */
export interface Scale {
  readonly isQuick: boolean
  readonly rounds: number
  /** Rounds before those that count. */
  readonly warmups: number
  /** Records of one burst, where `usual` of them take a few tenths of a second. */
  records(usual: number): number
  /** Milliseconds of one burst that lasts a time. */
  ms(usual: number): number
}

export const FULL: Scale = {
  isQuick: false,
  rounds: 5,
  warmups: 3,
  records: (usual) => usual,
  ms: (usual) => usual,
}
/** For a look at whether everything works: its figures mean nothing. */
export const QUICK: Scale = {
  isQuick: true,
  rounds: 1,
  warmups: 0,
  records: (usual) => Math.min(usual, 2_000),
  ms: (usual) => Math.min(usual, 100),
}

/** A row of the outcome. Without figures, `note` says why. */
export interface Result {
  readonly name: string
  readonly unit: string
  readonly median: number | null
  readonly min: number | null
  readonly max: number | null
  readonly runs: number
  readonly note?: string
}

export interface Outcome {
  readonly results: readonly Result[]
  /** Medians of the rounds' ratios; null where a row has no figures. */
  readonly ratios: Readonly<Record<string, number | null>>
}

/**
 * Lets the contenders of a suite take turns: each round gives everyone one burst, in turning order, so that a slow moment of
 * the machine meets all of them. What is told is the median of the rounds.
 */
export async function compete(suite: Suite, scale: Scale, onRound: (round: number) => void): Promise<Outcome> {
  const bout = await suite.open(scale)
  const rows = new Rows()
  try {
    const present = bout.contenders.filter((each): each is Contender => 'burst' in each)
    for (let round = -scale.warmups; round < scale.rounds; round++) {
      onRound(round)
      const played = await playRound(round % 2 === 0 ? present : present.toReversed())
      if (round >= 0) rows.add(played)
    }
  } finally {
    await bout.close()
  }
  const results = bout.contenders.flatMap((each): Result[] => {
    const { name, unit } = each
    if ('absent' in each) return [{ name, unit, median: null, min: null, max: null, runs: 0, note: each.absent }]
    return rows.resultsOf(name)
  })
  const ratios = Object.entries(bout.ratios).map(([key, [of, by]]) => [key, rows.ratio(of, by)] as const)
  return { results, ratios: Object.fromEntries(ratios) }
}

/** Figures of one round: each contender's own, then the further ones of the same burst. */
type Played = ReadonlyMap<string, readonly (Figure & { readonly name: string })[]>

async function playRound(contenders: readonly Contender[]): Promise<Played> {
  const bench = new Bench({ iterations: 1, time: 0, warmup: false, throws: true })
  const also = new Map<string, Burst['also']>()
  for (const { name, burst } of contenders) {
    const iteration = async (): Promise<{ overriddenDuration: number; overriddenIterationCost: number }> => {
      const made = await burst()
      also.set(name, made.also)
      return { overriddenDuration: made.msPerRecord, overriddenIterationCost: made.tookMs }
    }
    bench.add(name, iteration, { async: true })
  }
  await bench.run()
  return new Map(
    contenders.map(({ name, unit }) => {
      const { state, ...result } = bench.getTask(name)!.result
      if (state !== 'completed' || !('latency' in result)) throw new Error(`${name} did not complete: ${state}`)
      const own = { name, unit, value: UNITS[unit](result.latency.mean) }
      const further = Object.entries(also.get(name) ?? {}).map(([key, figure]) => ({
        name: `${name}, ${key}`,
        ...figure,
      }))
      return [name, [own, ...further]] as const
    }),
  )
}

/** The figures of all rounds. */
class Rows {
  readonly #rounds: Played[] = []

  add(round: Played): void {
    this.#rounds.push(round)
  }

  /** The rows of one contender. */
  resultsOf(contender: string): Result[] {
    const names = this.#rounds[0]!.get(contender)!.map(({ name, unit }) => ({ name, unit }))
    return names.map(({ name, unit }) => {
      const values = this.#values(name)!
      return {
        name,
        unit,
        median: median(values),
        min: Math.min(...values),
        max: Math.max(...values),
        runs: values.length,
      }
    })
  }

  /** Median of the rounds' ratios: both figures of a ratio are of the same round. */
  ratio(of: string, by: string): number | null {
    const above = this.#values(of)
    const below = this.#values(by)
    return above === undefined || below === undefined ? null : median(above.map((value, i) => value / below[i]!))
  }

  /** Figures of one row, round by round. */
  #values(row: string): number[] | undefined {
    const values = this.#rounds.map((round) => [...round.values()].flat().find(({ name }) => name === row)?.value)
    return values.every((value) => value !== undefined) ? values : undefined
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** A burst of so many records in so much time. */
export function moved(records: number, ms: number, also?: Readonly<Record<string, Figure>>): Burst {
  const burst = { msPerRecord: ms / records, tookMs: ms }
  return also === undefined ? burst : { ...burst, also }
}
