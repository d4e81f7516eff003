import { add } from '#atomics'
import { ring } from '../lane/doorbell.ts'
import { ASKED } from '../memory/control.ts'
import type { Memory } from '../memory/memory.ts'
import type { Plan } from '../plan/types.ts'

/** Has every source say the marker of a new flush. @returns its number */
export function askForFlush({ words }: Memory, plan: Plan): number {
  const number = (add(words, plan.control.offset / 4 + ASKED, 1) + 1) | 0
  for (const source of plan.sources) ring(words, plan.workers[source]!.control.doorbell)
  return number
}
