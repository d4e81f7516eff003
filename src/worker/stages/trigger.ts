import type { BatchPlan } from '../../plan/types.ts'
import type { Parts } from '../stage.ts'

/**
 * What closes a batch that is being gathered. Another one is an option, its place in `BatchPlan`, and a case here: whoever gathers
 * batches asks all of them.
 */
interface Trigger {
  /** Asked with each record that comes: whether a batch of so many is complete. */
  readonly isFull?: (records: number) => boolean
  /** When a batch that was opened at this time is closed whatever comes, in ms of the shared clock. */
  readonly dueAt?: (openedAt: number) => number
  /** Asked once nothing more is there to take: whether open batches are not to wait for more. */
  readonly isPressed?: () => boolean
}

const TRIGGERS = ['size', 'timeout', 'drain', 'end', 'room'] as const
/** Of a batch whose records say how many it has: `OpenBatches` counts them, and nothing else closes it. */
const NO_TRIGGERS = [] as const

function triggerOf(name: (typeof TRIGGERS)[number], batch: BatchPlan, parts: Parts, isHeldUp: () => boolean): Trigger {
  switch (name) {
    case 'size':
      return { isFull: (records) => records >= batch.size }
    case 'timeout':
      return { dueAt: (openedAt) => openedAt + batch.timeoutMs }
    case 'drain':
      return { isPressed: () => parts.isDraining() }
    case 'end':
      return { isPressed: () => parts.end.isNear }
    case 'room':
      return { isPressed: isHeldUp }
    default:
      return name satisfies never
  }
}

/** All triggers of a stage. */
export class Triggers {
  readonly #full: ((records: number) => boolean)[] = []
  readonly #due: ((openedAt: number) => number)[] = []
  readonly #pressed: (() => boolean)[] = []

  /** @param isHeldUp whether something above waits for the room that open batches hold */
  constructor(parts: Parts, isHeldUp: () => boolean) {
    const batch = parts.stage.input!.batch!
    for (const name of batch.whole ? NO_TRIGGERS : TRIGGERS) {
      const { isFull, dueAt, isPressed } = triggerOf(name, batch, parts, isHeldUp)
      if (isFull !== undefined) this.#full.push(isFull)
      if (dueAt !== undefined) this.#due.push(dueAt)
      if (isPressed !== undefined) this.#pressed.push(isPressed)
    }
  }

  isFull(records: number): boolean {
    for (const isFull of this.#full) if (isFull(records)) return true
    return false
  }

  dueAt(openedAt: number): number {
    let first = Infinity
    for (const dueAt of this.#due) first = Math.min(first, dueAt(openedAt))
    return first
  }

  isPressed(): boolean {
    for (const isPressed of this.#pressed) if (isPressed()) return true
    return false
  }
}
