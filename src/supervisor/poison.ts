import type { Memory } from '../memory/memory.ts'
import type { Plan, StagePlan } from '../plan/types.ts'
import { COUNTER } from '../memory/counters.ts'
import type { Suspect } from './recovery.ts'

/** A record or batch that a stage gave up because it kills: what the stage's counters said then. */
interface Verdict {
  /** Records that the stage had ended, and those of them that it gave up because they kill. */
  readonly ended: number
  readonly crashed: number
}

/** Records or batches in hand of which a share is taken. */
const WINDOW = 20

/**
 * Whether it is the handler that kills, and not single records: more than `maxPoison` of the last twenty records or batches
 * were given up because they kill. That is looked for where there are enough of them: among what ended between the first and
 * the last of the newest `maxPoison` × 20 + 1 of them.
 * @param maxPoison from 0 to 1; at 1 never
 * @param verdicts oldest first
 */
export function isPoisonous(maxPoison: number, verdicts: readonly Verdict[]): boolean {
  const most = Math.floor(maxPoison * WINDOW)
  const [first, last] = [verdicts.at(-most - 1), verdicts.at(-1)]
  if (maxPoison >= 1 || first === undefined || last === undefined) return false
  const ended = last.ended - first.ended
  // At most 0, the first one is one too many; and where nothing has ended in between, nothing was well.
  return ended === 0 || (last.crashed - first.crashed) / ended > maxPoison
}

/** The verdicts of each stage, as many as are looked at. */
export class Verdicts {
  readonly #byNode = new Map<string, Verdict[]>()

  add(node: string, verdict: Verdict): readonly Verdict[] {
    const verdicts = [...(this.#byNode.get(node) ?? []), verdict].slice(-WINDOW)
    this.#byNode.set(node, verdicts)
    return verdicts
  }
}

/** Tells stages of which too many records kill, from what their counters say at each verdict. */
export class Poison {
  readonly #memory: Memory
  readonly #plan: Plan
  readonly #verdicts = new Verdicts()

  constructor(memory: Memory, plan: Plan) {
    this.#memory = memory
    this.#plan = plan
  }

  /** Whether one of these, which were in hand at a death, is given up now and is one too many. */
  isTooMuch(stage: StagePlan, suspects: readonly Suspect[]): boolean {
    const { node, input, restart } = stage
    if (input === undefined || !suspects.some(({ deaths }) => deaths >= input.maxCrashes)) return false
    const verdict = { ended: this.#total(stage, COUNTER.in), crashed: this.#total(stage, COUNTER.crashed) }
    return isPoisonous(restart.maxPoison, this.#verdicts.add(node, verdict))
  }

  #total({ workers, nodes }: StagePlan, counter: number): number {
    return workers.reduce((sum, index) => {
      const { countersOffset } = this.#plan.workers[index]!.journal
      return sum + this.#memory.floats[countersOffset / 8 + nodes[0]!.counters + counter]!
    }, 0)
  }
}
