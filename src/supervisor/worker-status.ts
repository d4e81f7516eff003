import { stateOf } from '../lane/seats.ts'
import type { Memory } from '../memory/memory.ts'
import type { WorkerState } from '../memory/control.ts'
import { COUNT, HOLDING, HOLDS_BATCH, HOLDS_RECORD, HOLDS_SEVERAL, PLACES, SEGMENT, SEGMENTS } from '../memory/hand.ts'
import type { WorkerPlan } from '../plan/types.ts'
import type { Death } from './history.ts'
import type { Supervisor } from './supervisor.ts'

/** A worker as the supervisor sees it. */
export interface WorkerStatus {
  readonly node: string
  /** From 0 within the stage. */
  readonly worker: number
  readonly host: 'pool' | 'embedder'
  readonly state: WorkerState
  /** Which life of it this is, from 0. */
  readonly epoch: number
  /** Undefined while it has no thread. */
  readonly threadId: number | undefined
  /** Records that its handler works on just now. */
  readonly inHand: number
  /** How its earlier lives ended, the oldest first. */
  readonly deaths: readonly Death[]
}

/** @internal */
export function workerStatuses(supervisor: Supervisor): WorkerStatus[] {
  const { plan, memory, history } = supervisor
  const handles = new Map(supervisor.handles.all.map((handle) => [handle.worker.index, handle]))
  return plan.workers.flatMap((worker): WorkerStatus[] => {
    const { node, host, role } = plan.stages[worker.stage]!
    if (role === 'system') return []
    const handle = handles.get(worker.index)
    return [
      {
        node,
        worker: worker.ordinal,
        host,
        state: stateOf(memory, worker.control.offset),
        epoch: handle?.epoch ?? 0,
        threadId: handle?.threadId,
        inHand: inHand(memory, worker),
        deaths: history.of(node).filter((death) => death.worker === worker.ordinal),
      },
    ]
  })
}

/** The words are the worker's own, read while it works: a figure of the moment. */
function inHand({ words }: Memory, { hand }: WorkerPlan): number {
  const at = hand.offset / 4
  const calls = sum(Math.min(hand.segments, words[at + PLACES]!), (i) => {
    const place = at + SEGMENT + 2 * i
    return words[place] !== 0 || words[place + 1] !== 0 ? 1 : 0
  })
  switch (words[at + HOLDING]) {
    case HOLDS_RECORD:
      return calls + 1
    case HOLDS_SEVERAL:
      return calls + words[at + COUNT]!
    case HOLDS_BATCH:
      return sum(Math.min(hand.segments, words[at + SEGMENTS]!), (i) => words[at + SEGMENT + 2 * i + 1]!)
    default:
      return calls
  }
}

function sum(count: number, of: (index: number) => number): number {
  let total = 0
  for (let i = 0; i < count; i++) total += of(i)
  return total
}
