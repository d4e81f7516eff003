import { load, store } from '#atomics'
import { ring } from '../lane/doorbell.ts'
import { mix, mixed } from '../lane/ids.ts'
import { recover } from '../lane/journal.ts'
import type { Memory } from '../memory/memory.ts'
import { LIVE, NEW, STATE } from '../memory/control.ts'
import {
  COUNT,
  DOUBT_COUNT,
  DOUBT_HIGH,
  DOUBT_INDEX,
  DOUBT_LOW,
  HOLDING,
  HOLDS_BATCH,
  HOLDS_RECORD,
  HOLDS_SEVERAL,
  ID_HIGH,
  ID_LOW,
  INDEX,
  MAX_SUSPECTS,
  PLACES,
  READING,
  READ_COUNT,
  READ_HIGH,
  READ_INDEX,
  READ_LOW,
  SEGMENT,
  SUSPECT,
  SUSPECTS,
  SUSPECT_WORDS,
} from '../memory/hand.ts'
import type { Plan, WorkerPlan } from '../plan/types.ts'

/** What was in hand at a death: a record, a batch, or a chunk of which nobody knows yet which record it was. */
export interface Suspect {
  readonly low: number
  readonly high: number
  /** The deaths that it has seen now; 0 of a chunk in doubt. */
  readonly deaths: number
  /** The base of a record's chunk, where the hand named it. */
  readonly base?: { readonly low: number; readonly high: number }
}

/** What was found in a dead worker's memory. */
interface Findings {
  /** A hand-off was under way, and has been finished. */
  readonly finishedHandoff: boolean
  readonly suspects: readonly Suspect[]
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
function noteSuspects({ words }: Memory, { hand }: WorkerPlan): readonly Suspect[] {
  const at = hand.offset / 4
  const known = knownSuspects(words, at)
  const found = held(words, at)
  const raised = found.map((each): Suspect => {
    if (each.deaths === 0) return each
    const before = known.find(({ low, high }) => low === each.low && high === each.high)?.deaths ?? 0
    return { ...each, deaths: before + 1 }
  })
  const suspects = raised.filter(({ deaths }) => deaths > 0)
  const others = known.filter(({ low, high }) => !suspects.some((each) => each.low === low && each.high === high))
  const kept = [...suspects, ...others].slice(0, MAX_SUSPECTS)
  kept.forEach(({ low, high, deaths }, i) => {
    words[at + SUSPECT + SUSPECT_WORDS * i] = low
    words[at + SUSPECT + SUSPECT_WORDS * i + 1] = high
    words[at + SUSPECT + SUSPECT_WORDS * i + 2] = deaths
  })
  store(words, at + SUSPECTS, kept.length)
  const doubt = raised.find(({ deaths }) => deaths === 0)
  if (doubt !== undefined) {
    store(words, at + DOUBT_LOW, doubt.low)
    store(words, at + DOUBT_HIGH, doubt.high)
    store(words, at + DOUBT_INDEX, words[at + INDEX]!)
    store(words, at + DOUBT_COUNT, words[at + COUNT]!)
  }
  return raised
}

function knownSuspects(words: Int32Array, at: number): { low: number; high: number; deaths: number }[] {
  return Array.from({ length: load(words, at + SUSPECTS) }, (_, i) => {
    const suspect = at + SUSPECT + SUSPECT_WORDS * i
    return { low: words[suspect]!, high: words[suspect + 1]!, deaths: words[suspect + 2]! }
  })
}

/** What the hand names: the record, batch or chunk that is worked on, and the open calls beside it. */
function held(words: Int32Array, at: number): Suspect[] {
  const calls = Array.from({ length: words[at + PLACES]! }, (_, place) => ({
    low: words[at + SEGMENT + 2 * place]!,
    high: words[at + SEGMENT + 2 * place + 1]!,
    deaths: 1,
  })).filter(({ low, high }) => low !== 0 || high !== 0)
  if (words[at + READING] === 1) {
    const read = { low: words[at + READ_LOW]!, high: words[at + READ_HIGH]! }
    return [...calls, words[at + READ_COUNT] === 1 ? recordAt(read, words[at + READ_INDEX]!) : { ...read, deaths: 1 }]
  }
  const base = { low: words[at + ID_LOW]!, high: words[at + ID_HIGH]! }
  switch (words[at + HOLDING]) {
    case HOLDS_RECORD:
      return [...calls, recordAt(base, words[at + INDEX]!)]
    case HOLDS_BATCH:
      return [...calls, { ...base, deaths: 1 }]
    case HOLDS_SEVERAL:
      // Nobody can say which of them it was: a successor takes them one by one, and then somebody can.
      return [...calls, { ...base, deaths: 0 }]
    default:
      return calls
  }
}

function recordAt(base: { low: number; high: number }, index: number): Suspect {
  mix(base.low, base.high, index)
  return { low: mixed.low, high: mixed.high, deaths: 1, base }
}
