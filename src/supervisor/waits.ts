import { load } from '#atomics'
import type { Memory } from '../memory/memory.ts'
import { SENT, TAKEN } from '../memory/lane.ts'
import { isStashEmpty } from '../lane/stash.ts'
import type { Plan, StagePlan } from '../plan/types.ts'
import { retryDelayMs } from '../worker/call/retry.ts'

/**
 * The longest time that records may lie still just now because a stage waits on purpose: for more records of an open batch,
 * or for the next attempt of one that failed. 0 where none does.
 */
export function longestWaitMs(memory: Memory, plan: Plan): number {
  return Math.max(0, ...plan.stages.map((stage) => waitMs(memory, plan, stage)))
}

function waitMs({ words }: Memory, plan: Plan, { input, workers }: StagePlan): number {
  if (input === undefined) return 0
  const own = workers.map((index) => plan.workers[index]!)
  const hasStashed = own.some(({ stash }) => !isStashEmpty(words, stash))
  const hasQueued = own.some(({ inputs }) =>
    inputs.some(({ layout: { offset } }) => load(words, offset / 4 + SENT) !== load(words, offset / 4 + TAKEN)),
  )
  const { batch, retry } = input
  const batchMs = batch !== undefined && (hasStashed || hasQueued) ? batch.timeoutMs : 0
  const retryMs = retry.maxAttempts > 1 && (hasStashed || hasQueued) ? retryDelayMs(retry, retry.maxAttempts - 1, 0) : 0
  return Math.max(batchMs, retryMs)
}
