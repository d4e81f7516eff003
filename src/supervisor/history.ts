import type { ErrorData } from '../errors.ts'
import type { Suspect } from './recovery.ts'

/** A death, as the history of a stage keeps it. */
export interface Death {
  readonly node: string
  readonly worker: number
  readonly epoch: number
  /** In ms of the clock that all threads share. */
  readonly atMs: number
  readonly cause: string
  /** What was thrown, or how the thread ended. */
  readonly error: Pick<ErrorData, 'name' | 'message' | 'code'>
  /** The restart was asked for. */
  readonly wasAsked: boolean
  /**
   * False where the stage's budget is not charged: the restart was asked for, or a record in hand is to blame and on its way
   * to be given up.
   */
  readonly counts: boolean
}

interface Entry {
  death: Death
  readonly suspects: readonly Suspect[]
}

/** Deaths that are remembered of a stage. A budget that allows more of them within its window counts no further. */
const KEPT = 1_000

/** The deaths of each stage, and who is to blame for them. */
export class History {
  readonly #entries = new Map<string, Entry[]>()

  /**
   * Notes a death. A record that was in hand at a death before has shown that it kills: that death and this one are its
   * fault, and not the stage's. So is the first one, where one death is enough for it to be given up (`maxCrashes: 1`).
   */
  add(death: Omit<Death, 'counts'>, suspects: readonly Suspect[], maxCrashes: number): Death {
    const entries = this.#entries.get(death.node) ?? []
    this.#entries.set(death.node, entries)
    const killers = suspects.filter(({ deaths }) => deaths > 0 && deaths >= Math.min(2, maxCrashes))
    for (const entry of entries) {
      if (entry.suspects.some((one) => killers.some((killer) => isSame(one, killer) || isOf(one, killer)))) {
        entry.death = { ...entry.death, counts: false }
      }
    }
    const entry: Entry = { death: { ...death, counts: !death.wasAsked && killers.length === 0 }, suspects }
    entries.push(entry)
    if (entries.length > KEPT) entries.shift()
    return entry.death
  }

  /** The deaths until now do not count against the stage's budget any more. */
  forgive(node: string): void {
    for (const entry of this.#entries.get(node) ?? []) entry.death = { ...entry.death, counts: false }
  }

  of(node: string): Death[] {
    return (this.#entries.get(node) ?? []).map(({ death }) => death)
  }

  /** Times of a stage's deaths that count against its budget, oldest first. */
  charged(node: string): number[] {
    return this.of(node)
      .filter(({ counts }) => counts)
      .map(({ atMs }) => atMs)
  }
}

/** The chunk that was in doubt was the killer's. */
function isOf(one: Suspect, { base }: Suspect): boolean {
  return base !== undefined && one.deaths === 0 && one.low === base.low && one.high === base.high
}

function isSame(one: Suspect, other: Suspect): boolean {
  return one.low === other.low && one.high === other.high
}
