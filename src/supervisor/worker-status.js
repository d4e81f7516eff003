import { load } from '#atomics'
import { STATE, WORKER_STATES } from '../plan/control.js'
import { HOLDING, HOLDS_BATCH, HOLDS_CALLS, HOLDS_RECORD, INDEX, SEGMENT, SEGMENTS } from '../plan/hand.js'
export function workerStatuses(supervisor) {
  const { plan, memory, history } = supervisor
  const members = new Map(supervisor.members().map((member) => [member.worker.index, member]))
  return plan.workers.flatMap((worker) => {
    const { node, host, isHidden } = plan.stages[worker.stage]
    if (isHidden) return []
    const member = members.get(worker.index)
    return [
      {
        node,
        worker: worker.ordinal,
        host,
        state: WORKER_STATES[load(memory.words, worker.control.offset / 4 + STATE)],
        epoch: member?.epoch ?? 0,
        threadId: member?.threadId,
        inHand: inHand(memory, worker),
        deaths: history.filter((death) => death.node === node && death.worker === worker.ordinal),
      },
    ]
  })
}
/** The words are the worker's own, read while it works: a figure of the moment. */
function inHand({ words }, { hand }) {
  const at = hand.offset / 4
  switch (words[at + HOLDING]) {
    case HOLDS_RECORD:
      return 1
    case HOLDS_BATCH:
      return sum(Math.min(hand.segments, words[at + SEGMENTS]), (i) => words[at + SEGMENT + 2 * i + 1])
    case HOLDS_CALLS:
      return sum(Math.min(hand.segments, words[at + INDEX]), (i) => {
        const place = at + SEGMENT + 2 * i
        return words[place] !== 0 || words[place + 1] !== 0 ? 1 : 0
      })
    default:
      return 0
  }
}
function sum(count, of) {
  let total = 0
  for (let i = 0; i < count; i++) total += of(i)
  return total
}
