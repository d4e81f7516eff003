import { load } from '#atomics'
import { MillraceError } from '../errors.ts'
import { FLUSHED } from '../memory/progress.ts'
import type { Memory } from '../memory/memory.ts'
import type { Plan, StagePlan } from '../plan/types.ts'
import { monotonicMs, sleep } from '../time.ts'
import { askForFlush } from '../worker/ask-for-flush.ts'

/** Between two looks at a flush that lasts: more, the longer it lasts. */
const LOOK_MS = { first: 1, most: 20 }
/** What goes round a loop may come behind the marker: so a new one is sent. */
const AGAIN_MS = 100

/**
 * Flushes, and waits until all that these source workers had handed on has ended.
 * @param isOver whether the pipeline has ended: then nothing changes any more
 */
export async function flush(
  memory: Memory,
  plan: Plan,
  stages: readonly StagePlan[],
  isOver: () => boolean,
): Promise<void> {
  const number = askForFlush(memory, plan)
  const words = stages.flatMap(({ workers }) => workers.map((index) => plan.workers[index]!.progress! / 4 + FLUSHED))
  const isFlushed = (): boolean => words.every((word) => ((load(memory.words, word) - number) | 0) >= 0)
  let askedAt = monotonicMs()
  for (let lookMs = LOOK_MS.first; !isFlushed(); lookMs = Math.min(LOOK_MS.most, lookMs * 2)) {
    if (isOver()) throw new MillraceError('PIPELINE_NOT_RUNNING', { pipeline: plan.graph })
    await sleep(lookMs)
    if (monotonicMs() - askedAt < AGAIN_MS) continue
    askedAt = monotonicMs()
    askForFlush(memory, plan)
  }
}
