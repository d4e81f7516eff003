import { isVacant } from '../../lane/seats.ts'
import { SINCE, STATE, TIME } from '../../memory/counters.ts'
import type { Memory } from '../../memory/memory.ts'
import type { Plan, StagePlan } from '../../plan/types.ts'
import { monotonicMs } from '../../time.ts'

/** For how long the workers of a stage have worked, on average, in ms: up to now. */
export function workedMs(memory: Memory, plan: Plan, { workers }: StagePlan): number {
  const now = monotonicMs()
  let [sum, seated] = [0, 0]
  for (const index of workers) {
    const { times, control } = plan.workers[index]!
    if (isVacant(memory, control.offset)) continue
    const at = times / 8
    const isBusy = memory.floats[at + STATE] === TIME.busy
    sum += memory.floats[at + TIME.busy]! / 1_000 + (isBusy ? Math.max(0, now - memory.floats[at + SINCE]!) : 0)
    seated++
  }
  return seated === 0 ? 0 : sum / seated
}
