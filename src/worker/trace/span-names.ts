import { mixed } from '../../lane/ids.ts'
import { spanIdOfAttempt } from '../../lane/span-id.ts'
import { traceIdAt } from '../../lane/trace-id.ts'
import { formatParent, parentOf } from '../../lane/trace-parent.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import type { Memory } from '../../memory/memory.ts'
import { HAS_PARENT, PARENT_WORDS, anchorSlot, anchorSource } from '../../memory/slots.ts'
import type { TraceContext } from '../../plan/definition.ts'
import type { Plan, WorkerPlan } from '../../plan/types.ts'
import { idOf } from '../chunk.ts'

/** A slot's anchor, its TRACE and its SEQUENCE. */
export type TracedSlot = readonly [anchor: number, trace: number, sequence: number]

/** Names the spans of what a worker has in hand, as those who read of it later do. */
export class SpanNames {
  readonly #memory: Memory
  readonly #plan: Plan
  readonly #node: string
  readonly #worker: number
  readonly #epoch: number
  /** What comes of a batch has the id of its first record for a base. */
  readonly #isBatch: boolean

  constructor(memory: Memory, plan: Plan, worker: WorkerPlan, epoch: number) {
    const { node, input } = plan.stages[worker.stage]!
    this.#memory = memory
    this.#plan = plan
    this.#node = node
    this.#worker = worker.ordinal
    this.#epoch = epoch
    this.#isBatch = input?.batch !== undefined
  }

  /** @param from the first record of the portion in hand */
  of(header: ChunkHeader, from: number, slot: TracedSlot): TraceContext {
    if (!this.#isBatch) idOf(header, from)
    const { low, high } = this.#isBatch ? { low: header.baseLow, high: header.baseHigh } : mixed
    const place = { node: this.#node, worker: this.#worker, epoch: this.#epoch, attempt: header.attempt }
    const spanId = spanIdOfAttempt({ low, high, ...place })
    const [anchor, trace, sequence] = slot
    const words = this.parentWords(slot)
    const parent = words && parentOf((index) => words[index]!)
    const id = parent?.traceId ?? traceIdAt(this.#memory, this.#plan, { anchor, trace, sequence })
    return { id, spanId, traceparent: formatParent({ traceId: id, spanId }) }
  }

  /** What a slot continues: a view of the words beside it. */
  parentWords([anchor, trace]: TracedSlot): Int32Array | undefined {
    if ((trace & HAS_PARENT) === 0) return undefined
    const { parents } = this.#plan.workers[this.#plan.sources[anchorSource(anchor)]!]!.slots!
    const at = parents! / 4 + PARENT_WORDS * anchorSlot(anchor)
    return this.#memory.words.subarray(at, at + PARENT_WORDS)
  }
}
