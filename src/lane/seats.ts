import { load, store } from '#atomics'
import { COMMAND, STATE, VACANT, WORKER_STATES, type WorkerState } from '../memory/control.ts'
import type { Memory } from '../memory/memory.ts'

/** Whether nobody has the seat of a worker; what came of whoever had it is on its lanes by then. */
export function isVacant({ words }: Memory, controlOffset: number): boolean {
  // VACATE: pairs with the store in the supervisor, which comes after the end of the thread.
  return (load(words, controlOffset / 4 + COMMAND) & VACANT) !== 0
}

/** Gives a seat to a thread that is about to start, or takes it back once that is gone. */
export function setVacant({ words }: Memory, controlOffset: number, isVacant: boolean): void {
  const command = controlOffset / 4 + COMMAND
  const others = load(words, command) & ~VACANT
  store(words, command, isVacant ? others | VACANT : others)
}

/** What a worker is at, as others see it. */
export function stateOf(memory: Memory, controlOffset: number): WorkerState {
  if (isVacant(memory, controlOffset)) return 'vacant'
  return WORKER_STATES[load(memory.words, controlOffset / 4 + STATE)]!
}
