import type { ScaleLook } from '../../analysis/live/scale/look.ts'
import { availableCores } from '../../cores.ts'
import type { Memory } from '../../memory/memory.ts'
import type { Plan, StagePlan } from '../../plan/types.ts'
import { measurements } from '../../telemetry/measurements.ts'
import { readSnapshot, type Snapshot } from '../../telemetry/snapshot.ts'
import { overlapOf } from '../../telemetry/stage-time.ts'
import { CoreUsage } from './core-usage.ts'

/** Measures a pipeline from one moment to another. */
export class LookMeter {
  readonly #memory: Memory
  readonly #plan: Plan
  readonly #cores = availableCores()
  readonly #usage = new CoreUsage()
  #before: Snapshot

  constructor(memory: Memory, plan: Plan) {
    this.#memory = memory
    this.#plan = plan
    this.#before = this.#read()
  }

  begin(): void {
    this.#before = this.#read()
    this.#usage.look()
  }

  /** What was measured since `begin`, or since it was made. */
  look(): ScaleLook {
    const now = this.#read()
    const waiting = this.#plan.nodeStages.filter((stage) => isWaiting(stage, now)).map(({ node }) => node)
    return {
      measurements: measurements(this.#plan, now, this.#before),
      waiting: new Set(waiting),
      cores: { available: this.#cores, used: this.#usage.look() },
    }
  }

  #read(): Snapshot {
    return readSnapshot(this.#memory, this.#plan, 0)
  }
}

function isWaiting(stage: StagePlan, { stages }: Snapshot): boolean {
  const found = stages[stage.node]!
  return stage.kind === 'source' ? found.workers.some(({ isAsync }) => isAsync) : overlapOf(stage, found) > 1
}
