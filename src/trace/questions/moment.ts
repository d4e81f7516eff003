import type { TracedRecords, TraceEvent } from '../event.ts'
import { eventsOf, type TraceRange, type TraceSource } from '../source.ts'
import { Hands } from './hands.ts'
import { countOf } from './origins.ts'

/** What was traced, as it stood at one moment. */
export interface TraceMoment {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Records on each edge that had traffic by then: sent, and not taken yet. */
  readonly edges: readonly { readonly edge: number; readonly waiting: number }[]
  /** Of each node: records that were taken and not handed off, and its workers' share of the time before in the handler. */
  readonly nodes: readonly { readonly node: string; readonly inHand: number; readonly busy: number }[]
  /** Traces that had begun and not ended. */
  readonly open: number
}

export interface TraceMomentOptions extends Pick<TraceRange, 'pipeline' | 'run'> {
  readonly at: number
  /** Time before, over which `busy` is reckoned. Default: 1,000 ms. */
  readonly windowMs?: number | undefined
}

/** How full edges were, and what was in hand, at one moment: of a recording, any moment of it. */
export async function moment(source: TraceSource, options: TraceMomentOptions): Promise<TraceMoment> {
  const { at, windowMs = 1_000, ...range } = options
  const reckoning = new Reckoning(at, windowMs)
  const events = (await eventsOf(source, range)).filter(({ takenAt, traces }) => takenAt <= at && traces.length > 0)
  for (const event of events) reckoning.learn(event)
  for (const event of events) reckoning.add(event)
  return reckoning.result()
}

class Reckoning {
  readonly #at: number
  readonly #windowMs: number
  readonly #waiting = new Map<number, number>()
  readonly #nodes = new Map<string, { inHand: number; busyMs: number; readonly workers: Set<number> }>()
  readonly #open = new Set<string>()
  readonly #ended = new Set<string>()
  readonly #hands = new Hands()
  readonly #sent = new Map<string, { readonly edge: number; readonly node: string }[]>()

  constructor(at: number, windowMs: number) {
    this.#at = at
    this.#windowMs = windowMs
  }

  learn({ run, node, outputs }: TraceEvent): void {
    for (const { base, edge } of outputs) {
      const key = `${run} ${base}`
      const known = this.#sent.get(key)
      if (known === undefined) this.#sent.set(key, [{ edge, node }])
      else if (known.every((each) => each.edge !== edge)) known.push({ edge, node })
    }
  }

  add(event: TraceEvent): void {
    const { outputs, inputs, handedOffAt, kind, traces, outcome, attempt } = event
    const isOver = handedOffAt <= this.#at
    if (isOver) for (const { edge, count } of outputs) this.#count(edge, count)
    if (kind === 'open') for (const trace of traces) this.#open.add(trace)
    if (kind === 'end') {
      if (isOver) for (const trace of traces) this.#ended.add(trace)
      return
    }
    const node = this.#spend(event)
    // It was taken from its lane before, or is taken again.
    if (attempt > 0 || outcome === 'died') return
    const fresh = inputs.filter((input) => this.#hands.isNew(event, input))
    for (const input of fresh) {
      const edge = this.#edgeOf(event, input)
      if (edge !== undefined) this.#count(edge, -input.count)
    }
    if (!isOver) node.inHand += countOf(fresh)
  }

  result(): TraceMoment {
    return {
      at: this.#at,
      edges: [...this.#waiting]
        .map(([edge, count]) => ({ edge, waiting: Math.max(0, count) }))
        .sort((a, b) => a.edge - b.edge),
      nodes: [...this.#nodes].map(([node, { inHand, busyMs, workers }]) => ({
        node,
        inHand,
        busy: Math.min(1, busyMs / (this.#windowMs * workers.size)),
      })),
      open: [...this.#open].filter((trace) => !this.#ended.has(trace)).length,
    }
  }

  #spend({ node, worker, takenAt, serviceMs }: TraceEvent): { inHand: number } {
    const known = this.#nodes.get(node) ?? { inHand: 0, busyMs: 0, workers: new Set() }
    this.#nodes.set(node, known)
    known.workers.add(worker)
    const from = Math.max(takenAt, this.#at - this.#windowMs)
    known.busyMs += Math.max(0, Math.min(takenAt + serviceMs, this.#at) - from)
    return known
  }

  /** What waited in the stash does not say over which edge it had come: whoever sent it does. */
  #edgeOf({ run, node }: TraceEvent, { edge, base }: TracedRecords): number | undefined {
    return edge ?? this.#sent.get(`${run} ${base}`)?.find((sent) => sent.node !== node)?.edge
  }

  #count(edge: number, count: number): void {
    this.#waiting.set(edge, (this.#waiting.get(edge) ?? 0) + count)
  }
}
