import { store } from '#atomics'
import { ring } from '../lane/doorbell.ts'
import type { Memory } from '../memory/memory.ts'
import { PHASE } from '../memory/control.ts'
import type { Plan } from '../plan/types.ts'

/** Tells all workers the phase that the pipeline is in now: one of the words of `plan/control`. */
export function enterPhase({ words }: Memory, plan: Plan, phase: number): void {
  store(words, plan.control.offset / 4 + PHASE, phase)
  for (const { control } of plan.workers) ring(words, control.doorbell)
}
