import { isVacant } from '../../lane/seats.ts'
import type { Memory } from '../../memory/memory.ts'
import type { Plan } from '../../plan/types.ts'

/** Whether nobody has the seat of the writer of a lane; never, where its stage cannot be resized. */
export function vacancyOf(memory: Memory, plan: Plan, writer: number): () => boolean {
  const { stage, control } = plan.workers[writer]!
  return plan.stages[stage]!.sizing === undefined ? () => false : () => isVacant(memory, control.offset)
}
