import type { TracedRecords, TraceEvent } from '../event.ts'

/** Clocks are read in microseconds; the same moment may be a little earlier on the other side. */
const CLOCK_MS = 0.002

interface Sent {
  readonly event: TraceEvent
  readonly output: TracedRecords
}

/** Which event sent what another one took: of whole chunks, where `Passages` tells it of records. */
export class Senders {
  readonly #sent = new Map<string, Sent[]>()
  readonly #attempts = new Map<string, TraceEvent[]>()

  constructor(events: readonly TraceEvent[]) {
    for (const event of events) {
      for (const output of event.outputs) push(this.#sent, keyOf(event.run, output), { event, output })
      if (isTried(event)) push(this.#attempts, attemptKey(event), event)
    }
  }

  /** A chunk that was split may come of several frames, and a frame may be taken in parts. */
  of(event: TraceEvent): Set<TraceEvent> {
    const found = new Set<TraceEvent>()
    for (const input of event.inputs) {
      const time = (input.writtenAt ?? event.takenAt) + CLOCK_MS
      const sent = (this.#sent.get(keyOf(event.run, input)) ?? []).filter(({ output }) => isOfOne(input, output))
      if (sent.length === 1) found.add(sent[0]!.event)
      if (sent.length < 2) continue
      // In a loop the same records pass an edge again and again: the last time before they were taken.
      const before = sent.filter((each) => sentAt(each) <= time).sort((a, b) => sentAt(b) - sentAt(a))
      for (let number = input.first; number < input.first + input.count; number++) {
        const last = (before.length > 0 ? before : sent).find(
          ({ output }) => number >= output.first && number < output.first + output.count,
        )
        if (last !== undefined) found.add(last.event)
      }
    }
    return found
  }

  /** The attempt that failed before this one. */
  attemptBefore(event: TraceEvent): TraceEvent | undefined {
    if (!isTried(event)) return undefined
    return (this.#attempts.get(attemptKey(event)) ?? [])
      .filter(
        (other) =>
          other !== event &&
          (other.attempt < event.attempt || other.epoch < event.epoch) &&
          other.handedOffAt <= event.handedOffAt,
      )
      .reduce<TraceEvent | undefined>(
        (last, other) => (last === undefined || other.handedOffAt >= last.handedOffAt ? other : last),
        undefined,
      )
  }
}

function isTried({ inputs }: TraceEvent): boolean {
  return inputs.length > 0
}

function sentAt({ event, output }: Sent): number {
  return output.writtenAt ?? event.handedOffAt
}

/** Whether two have records in common, and came over one edge as far as both say. */
function isOfOne(a: TracedRecords, b: TracedRecords): boolean {
  if (a.edge !== undefined && b.edge !== undefined && a.edge !== b.edge) return false
  return a.first < b.first + b.count && b.first < a.first + a.count
}

function keyOf(run: string, { base }: TracedRecords): string {
  return `${run} ${base}`
}

/** The same records of the same frames at the same node. */
function attemptKey({ run, node, inputs }: TraceEvent): string {
  return `${run} ${node} ${inputs.map(({ base, first, count, writtenAt }) => `${base} ${first} ${count} ${writtenAt ?? ''}`).join()}`
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [item])
  else list.push(item)
}
