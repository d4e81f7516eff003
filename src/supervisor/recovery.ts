import { load, store } from '#atomics'
import { ring } from '../lane/doorbell.ts'
import { mix, mixed } from '../lane/ids.ts'
import { recover } from '../lane/journal.ts'
import type { Memory } from '../lane/memory.ts'
import { LIVE, NEW, STATE } from '../plan/control.ts'
import {
  HOLDING,
  HOLDS_BATCH,
  HOLDS_CALLS,
  HOLDS_RECORD,
  ID_HIGH,
  ID_LOW,
  INDEX,
  MAX_SUSPECTS,
  SEGMENT,
  SUSPECT,
  SUSPECTS,
  SUSPECT_WORDS,
} from '../plan/hand.ts'
import type { Plan, WorkerPlan } from '../plan/types.ts'

/** What was found in a dead worker's memory. */
export interface Findings {
  /** A hand-off was under way, and has been finished. */
  readonly finishedHandoff: boolean
  /** Records and batches that were in hand, and the deaths that each of them has seen now. */
  readonly suspects: readonly { readonly low: number; readonly high: number; readonly deaths: number }[]
}

/**
 * Puts a dead worker's memory in order, so that its successor can go on: finishes a hand-off that it had marked, and notes
 * what it had in hand. Only after the thread is gone.
 */
export function recoverWorker(memory: Memory, plan: Plan, worker: WorkerPlan): Findings {
  const finishedHandoff = recover(memory, worker.journal)
  const state = worker.control.offset / 4 + STATE
  // A thread that died before its loop ran had nothing in hand, whatever an earlier one has left there.
  const suspects = load(memory.words, state) === LIVE ? noteSuspects(memory, worker) : []
  store(memory.words, state, NEW)
  // The hand-off may have been finished here and not there: whoever it concerns has not been woken.
  for (const { peer } of [...worker.inputs, ...worker.outputs, ...worker.ackOutputs, ...worker.ackInputs]) {
    ring(memory.words, plan.workers[peer]!.control.doorbell)
  }
  return { finishedHandoff, suspects }
}

/** Raises the deaths of what was in hand. Suspects that are not in hand any more have ended, or will show themselves again. */
function noteSuspects({ words }: Memory, { hand }: WorkerPlan): Findings['suspects'] {
  const at = hand.offset / 4
  const known = knownSuspects(words, at)
  const suspects = held(words, at).map(({ low, high }) => {
    const before = known.find((each) => each.low === low && each.high === high)?.deaths ?? 0
    return { low, high, deaths: before + 1 }
  })
  const others = known.filter(({ low, high }) => !suspects.some((each) => each.low === low && each.high === high))
  const kept = [...suspects, ...others].slice(0, MAX_SUSPECTS)
  kept.forEach(({ low, high, deaths }, i) => {
    words[at + SUSPECT + SUSPECT_WORDS * i] = low
    words[at + SUSPECT + SUSPECT_WORDS * i + 1] = high
    words[at + SUSPECT + SUSPECT_WORDS * i + 2] = deaths
  })
  store(words, at + SUSPECTS, kept.length)
  return suspects
}

function knownSuspects(words: Int32Array, at: number): { low: number; high: number; deaths: number }[] {
  return Array.from({ length: load(words, at + SUSPECTS) }, (_, i) => {
    const suspect = at + SUSPECT + SUSPECT_WORDS * i
    return { low: words[suspect]!, high: words[suspect + 1]!, deaths: words[suspect + 2]! }
  })
}

function held(words: Int32Array, at: number): { low: number; high: number }[] {
  const id = { low: words[at + ID_LOW]!, high: words[at + ID_HIGH]! }
  switch (words[at + HOLDING]) {
    case HOLDS_RECORD:
      mix(id.low, id.high, words[at + INDEX]!)
      return [{ low: mixed.low, high: mixed.high }]
    case HOLDS_BATCH:
      return [id]
    case HOLDS_CALLS:
      return Array.from({ length: words[at + INDEX]! }, (_, place) => ({
        low: words[at + SEGMENT + 2 * place]!,
        high: words[at + SEGMENT + 2 * place + 1]!,
      })).filter(({ low, high }) => low !== 0 || high !== 0)
    default:
      return []
  }
}
