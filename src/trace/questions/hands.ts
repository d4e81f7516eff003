import type { TracedRecords, TraceEvent } from '../event.ts'

/** What one hand-off took may be told of by several events: what went on, what was filtered, what failed. */
export class Hands {
  readonly #last = new Map<string, { takenAt: number; inputs: TracedRecords[] }>()

  /** Whether no event before tells of these records in the same hand. */
  isNew({ run, node, worker, takenAt }: TraceEvent, input: TracedRecords): boolean {
    const place = `${run} ${worker} ${node}`
    let hand = this.#last.get(place)
    if (hand?.takenAt !== takenAt) this.#last.set(place, (hand = { takenAt, inputs: [] }))
    const { base, first, count } = input
    if (hand.inputs.some((each) => each.base === base && first < each.first + each.count && each.first < first + count))
      return false
    hand.inputs.push(input)
    return true
  }
}
