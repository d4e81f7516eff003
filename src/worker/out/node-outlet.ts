import type { NodePlan } from '../../plan/types.ts'
import type { LinkWriter, Refuse } from './link-writer.ts'

/** One edge out of a node, as this worker takes it. `origin` is the index of the input that the record came of. */
export interface Port {
  send(value: unknown, origin: number): void
  /** The same for values[from], … before `to`, each of the input with its own index. */
  sendRun(values: ArrayLike<unknown>, from: number, to: number): void
}

/** A node of this stage: its counters and its ports. */
export class NodeOutlet {
  readonly plan: NodePlan
  readonly counters: Float64Array
  readonly at: number
  out: readonly Port[] = []
  branches: ReadonlyMap<string, readonly Port[]> = new Map()
  error: readonly Port[] = []
  deadLetter: readonly Port[] = []
  retry: readonly Port[] = []
  /** What it sends to its error or dead-letter edges is nacked too. */
  readonly isNacking: boolean

  constructor(plan: NodePlan, counters: Float64Array) {
    this.isNacking = (plan.error.length > 0 ? plan.error : plan.deadLetter).some(({ nack }) => nack === true)
    this.plan = plan
    this.counters = counters
    this.at = plan.counters
  }

  count(counter: number, records: number): void {
    this.counters[this.at + counter]! += records
  }
}

/** An edge to the lanes of a link. */
export class LinkPort implements Port {
  readonly #writer: LinkWriter
  readonly #refuse: Refuse

  constructor(writer: LinkWriter, refuse: Refuse) {
    this.#writer = writer
    this.#refuse = refuse
  }

  send(value: unknown, origin: number): void {
    try {
      this.#writer.add(value, origin)
    } catch (error) {
      // The next stage's `partitionBy` or `selector` threw.
      this.#refuse(origin, value, error)
    }
  }

  sendRun(values: ArrayLike<unknown>, from: number, to: number): void {
    if (this.#writer.addRun(values, from, to)) return
    for (let i = from; i < to; i++) this.send(values[i], i)
  }
}

/** An edge to a node that this worker runs itself. */
export class InlinePort implements Port {
  readonly send: (value: unknown, origin: number) => void

  constructor(send: (value: unknown, origin: number) => void) {
    this.send = send
  }

  sendRun(values: ArrayLike<unknown>, from: number, to: number): void {
    for (let i = from; i < to; i++) this.send(values[i], i)
  }
}
