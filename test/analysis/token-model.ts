/**
 * A graph of stages as tokens: rings with credit, workers that hold what they could not send yet, and a scheduler and handlers
 * that do whatever is allowed. It tells whether a run came to stand still: records on their way, and nothing that could move.
 */
import { resolveNode } from '#src/graph/resolve.js'
import type { GraphData } from 'millrace'

/** A source record, and how many of what came of it are on their way. */
interface Slot {
  readonly source: Worker
  alive: number
}

interface Ring {
  readonly maxDemand: number
  readonly minDemand: number
  /** Frames: the records that were sent together. */
  readonly queue: Slot[][]
  granted: number
  sent: number
  taken: number
}

interface Worker {
  readonly id: string
  /** Records that a worker of a source may still make; none of other stages. Each worker has a window of its own. */
  window: number | undefined
  readonly inputs: Ring[]
  /** Rings to each worker of the next stage, by edge. */
  readonly outputs: Map<number, Ring[]>
  /** The chunk in hand, and where it lies. */
  chunk: Slot[]
  from: Ring | undefined
  /** The next record of it, and those of its portion: their ring gets the room back when all that came of them is sent. */
  next: number
  portion: number
  /** Records that wait, each with the rings of which one takes it. */
  waiting: { readonly slot: Slot; readonly rings: readonly Ring[] }[]
  turn: number
}

export interface TokenOptions {
  /** What one ring over each edge holds, and when its reader grants more. */
  readonly lanes: readonly { readonly maxDemand: number; readonly minDemand: number }[]
  readonly steps: number
  /** 0 to 1, less than 1. */
  readonly random: () => number
}

/** Runs a graph of sources, transforms and sinks; true where it came to stand still. */
export function standsStill(graph: GraphData, { lanes, steps, random }: TokenOptions): boolean {
  const model = new Model(graph, lanes, random)
  for (let step = 0; step < steps; step++) if (!model.step()) return true
  return false
}

class Model {
  readonly #graph: GraphData
  readonly #random: () => number
  readonly #workers: readonly Worker[]

  constructor(graph: GraphData, lanes: TokenOptions['lanes'], random: () => number) {
    this.#graph = graph
    this.#random = random
    const stages = new Map(
      graph.nodes.map(resolveNode).map(({ id, kind, concurrency, window }) => {
        const left = kind === 'source' ? window : undefined
        return [id, Array.from({ length: concurrency }, () => idle(id, left))]
      }),
    )
    graph.edges.forEach(({ from, to }, edge) => {
      for (const writer of stages.get(from)!) {
        const rings = stages.get(to)!.map((reader) => {
          const ring = { ...lanes[edge]!, queue: [], granted: lanes[edge]!.maxDemand, sent: 0, taken: 0 }
          reader.inputs.push(ring)
          return ring
        })
        writer.outputs.set(edge, rings)
      }
    })
    this.#workers = [...stages.values()].flat()
  }

  /** Lets one worker that can do something do it; false where none can. Sources never run dry. */
  step(): boolean {
    const start = this.#below(this.#workers.length)
    return this.#workers.some((_, i) => this.#act(this.#workers[(start + i) % this.#workers.length]!))
  }

  #act(worker: Worker): boolean {
    if (worker.waiting.length > 0) return this.#send(worker)
    if (worker.next < worker.chunk.length) return this.#work(worker)
    if (worker.window !== undefined) return this.#make(worker, worker.window)
    const full = worker.inputs.filter(({ queue }) => queue.length > 0)
    if (full.length === 0) return false
    worker.from = full[this.#below(full.length)]!
    worker.chunk = worker.from.queue.shift()!
    worker.next = 0
    return this.#work(worker)
  }

  /** A source makes no record while no way out of it has credit. */
  #make(worker: Worker, left: number): boolean {
    const credit = Math.max(
      0,
      ...[...worker.outputs.values()].map((rings) => rings.reduce((sum, ring) => sum + creditOf(ring), 0)),
    )
    const { chunk = 512 } = this.#graph.nodes.find(({ id }) => id === worker.id)!
    const most = Math.min(left, credit, chunk)
    if (most === 0) return false
    const records = 1 + this.#below(most)
    worker.window = left - records
    worker.chunk = Array.from({ length: records }, () => ({ source: worker, alive: 1 }))
    worker.next = 0
    return this.#work(worker)
  }

  /**
   * What a handler may do: results over all plain edges, with a ratio over some of them; or a failure that is tried again,
   * which is sent by itself.
   */
  #work(worker: Worker): boolean {
    const out = this.#graph.edges.flatMap((edge, index) => (edge.from === worker.id ? [{ ...edge, index }] : []))
    const retries = out.filter(({ pathType }) => pathType === 'retry')
    worker.portion = 0
    for (let fails = false; !fails && worker.next < worker.chunk.length;) {
      fails = retries.length > 0 && this.#random() < 0.7
      if (fails && worker.portion > 0) break
      const slot = worker.chunk[worker.next++]!
      worker.portion++
      for (const { index, to, ratio } of out) {
        if (retries.some((edge) => edge.index === index) !== fails) continue
        if (ratio !== undefined && this.#random() < 0.3) continue
        const rings = worker.outputs.get(index)!
        const { dispatch } = this.#graph.nodes.find((each) => each.id === to)!
        const send = (to: readonly Ring[]): void => {
          slot.alive++
          worker.waiting.push({ slot, rings: to })
        }
        if (dispatch === 'broadcast') for (const ring of rings) send([ring])
        else if (dispatch === 'roundRobin') send([rings[worker.turn++ % rings.length]!])
        // Keys are as uneven as they like.
        else if (dispatch === 'partition') send([rings[Math.floor(this.#random() ** 3 * rings.length)]!])
        else send(rings)
      }
    }
    if (worker.waiting.length === 0) this.#release(worker)
    return true
  }

  /** One frame of records that go the same way, as far as credit goes. */
  #send(worker: Worker): boolean {
    const first = worker.waiting.find(({ rings }) => rings.some((ring) => creditOf(ring) > 0))
    if (first === undefined) return false
    const open = first.rings.filter((ring) => creditOf(ring) > 0)
    const ring = open[this.#below(open.length)]!
    const frame = worker.waiting
      .filter(({ rings }) => rings === first.rings || rings[0] === ring)
      .slice(0, creditOf(ring))
    ring.sent += frame.length
    ring.queue.push(frame.map(({ slot }) => slot))
    worker.waiting = worker.waiting.filter((each) => !frame.includes(each))
    if (worker.waiting.length === 0) this.#release(worker)
    return true
  }

  /** The portion in hand is done. Its reader grants more where little is left of what it granted. */
  #release(worker: Worker): void {
    const { chunk, next, portion, from } = worker
    for (const slot of chunk.slice(next - portion, next)) {
      if (--slot.alive === 0) slot.source.window! += 1
    }
    if (from === undefined) return
    from.taken += portion
    if (from.granted - from.taken <= from.minDemand) from.granted = from.taken + from.maxDemand
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count)
  }
}

function creditOf({ granted, sent }: Ring): number {
  return granted - sent
}

function idle(id: string, window: number | undefined): Worker {
  return {
    id,
    window,
    inputs: [],
    outputs: new Map(),
    chunk: [],
    from: undefined,
    next: 0,
    portion: 0,
    waiting: [],
    turn: 0,
  }
}
