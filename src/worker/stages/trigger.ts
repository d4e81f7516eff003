import type { BatchTrigger } from '../../figures.ts'
import type { BatchPlan } from '../../plan/types.ts'
import type { Parts } from '../stage.ts'

/**
 * What completes a batch that is being gathered. Another one is an option (`options/batch.ts`) and what the analysis makes of it
 * (`analysis/treatment.ts`), its name among the figures (`TRIGGERS`), and a case here: whoever gathers batches asks all of them.
 */
interface Rule {
  readonly trigger: BatchTrigger
  /** Asked with each record that comes: whether a batch of so many, which weigh so much, is complete. */
  readonly isFull?: (records: number, weight: number) => boolean
  /** When a batch that was opened, and added to last, at these times is complete whatever comes, in ms of the shared clock. */
  readonly dueAt?: (openedAt: number, addedAt: number) => number
  /** Asked once nothing more is there to take: whether open batches are not to wait for more. */
  readonly isPressed?: () => boolean
}

/** The rules of a stage: of what is not asked for there is none. */
function rulesOf(batch: BatchPlan, parts: Parts, isHeldUp: () => boolean): readonly Rule[] {
  const { size, timeoutMs, idleMs, weight: wanted = Infinity, maxWeight = Infinity } = batch
  const enough = Math.min(wanted, maxWeight)
  const weight = { trigger: 'weight', isFull: (_: number, weight: number) => weight >= enough } as const
  // Its records say how many it has: `OpenBatches` counts them. Only their weight may hand it over before.
  if (batch.whole) return batch.weighed ? [weight] : []
  return [
    { trigger: 'size', isFull: (records) => records >= size },
    ...(batch.weighed ? [weight] : []),
    { trigger: 'timeout', dueAt: (openedAt) => openedAt + timeoutMs },
    ...(idleMs !== undefined
      ? [{ trigger: 'idle', dueAt: (_: number, addedAt: number) => addedAt + idleMs } as const]
      : []),
    { trigger: 'flush', isPressed: () => parts.markers.isHere },
    { trigger: 'drain', isPressed: () => parts.isDraining() },
    { trigger: 'end', isPressed: () => parts.end.isNear },
    { trigger: 'pressure', isPressed: isHeldUp },
  ]
}

type Asked<Question extends 'isFull' | 'dueAt' | 'isPressed'> = Rule & Required<Pick<Rule, Question>>

/** All triggers of a stage. */
export class Triggers {
  readonly #full: readonly Asked<'isFull'>[]
  readonly #due: readonly Asked<'dueAt'>[]
  readonly #pressed: readonly Asked<'isPressed'>[]

  /** @param isHeldUp whether something above waits for the room that open batches hold */
  constructor(parts: Parts, isHeldUp: () => boolean) {
    const rules = rulesOf(parts.stage.input!.batch!, parts, isHeldUp)
    this.#full = rules.filter((rule): rule is Asked<'isFull'> => rule.isFull !== undefined)
    this.#due = rules.filter((rule): rule is Asked<'dueAt'> => rule.dueAt !== undefined)
    this.#pressed = rules.filter((rule): rule is Asked<'isPressed'> => rule.isPressed !== undefined)
  }

  /** What completes a batch of so many records, which weigh so much. */
  fullBy(records: number, weight: number): BatchTrigger | undefined {
    for (const { trigger, isFull } of this.#full) if (isFull(records, weight)) return trigger
    return undefined
  }

  dueAt(openedAt: number, addedAt: number): number {
    let first = Infinity
    for (const { dueAt } of this.#due) first = Math.min(first, dueAt(openedAt, addedAt))
    return first
  }

  /** What has completed a batch by now, whatever comes. */
  dueBy(now: number, openedAt: number, addedAt: number): BatchTrigger | undefined {
    for (const { trigger, dueAt } of this.#due) if (now >= dueAt(openedAt, addedAt)) return trigger
    return undefined
  }

  /** What completes all open batches, where nothing more is there to take. */
  pressedBy(): BatchTrigger | undefined {
    for (const { trigger, isPressed } of this.#pressed) if (isPressed()) return trigger
    return undefined
  }
}
