/** What the events of a traced round say, against what came out of it. */
import type { Memory } from '#src/memory/memory.js'
import type { Plan } from '#src/plan/types.js'
import { EventDecoder, recordIdAt } from '#src/trace/decode.js'
import type { TraceEvent, TracedOutput, TracedRecords } from '#src/trace/event.js'
import { TraceRings } from '#src/trace/rings.js'

/** A record as it came by an edge, or was made by a source. */
interface Origin {
  readonly node: string
  /** Keys of the records that it came of; of a source: its name, in place of them. */
  readonly parents: readonly string[]
}

export class Traces {
  readonly events: TraceEvent[] = []
  readonly #rings: TraceRings
  readonly #decoder: EventDecoder
  readonly #plan: Plan
  readonly #signers: ReadonlySet<string>
  /** By edge and id. */
  readonly #origins = new Map<string, Origin>()
  readonly #made = new Map<string, number>()

  /** @param signers stages whose handlers write their name into what they return */
  constructor(memory: Memory, plan: Plan, signers: ReadonlySet<string>) {
    this.#signers = signers
    const traced = plan.workers.flatMap(({ trace }) => trace ?? [])
    this.#plan = plan
    this.#rings = new TraceRings(memory, traced)
    this.#decoder = new EventDecoder(memory, plan, 0)
  }

  drain(): void {
    const { readers } = this.#rings
    this.#rings.drain({
      event: (ring, at) => this.events.push(this.#decoder.decode(ring, readers[ring]!, at)),
      whole: () => undefined,
    })
  }

  /** Slots whose end says that all is there, and it is not. */
  broken(): string[] {
    const faults: string[] = []
    const whole = new Set<string>()
    for (const { kind, traces, isIncomplete } of this.events) if (kind === 'end' && !isIncomplete) whole.add(traces[0]!)
    const consumed = new Set(this.events.flatMap(({ inputs }) => idsOf(inputs)))
    const made = new Set(this.events.flatMap(({ outputs, made: own }) => idsOf(own ? [own, ...outputs] : outputs)))
    for (const { kind, node, traces, inputs, outputs } of this.events) {
      if (!traces.some((trace) => whole.has(trace))) continue
      // A batch counts for slots with gaps too.
      if (traces.some((trace) => !whole.has(trace))) continue
      for (const id of idsOf(outputs)) if (!consumed.has(id)) faults.push(`${id} of ${node} (${kind}) went nowhere`)
      for (const id of idsOf(inputs)) if (!made.has(id)) faults.push(`${id} came to ${node} (${kind}) from nowhere`)
    }
    return faults.slice(0, 5)
  }

  /** What is wrong with the events of a run whose rings have dropped nothing; @param expected paths at outputs. */
  faults(expected: ReadonlyMap<string, number> | undefined): string[] {
    const faults: string[] = []
    if (this.dropped > 0) faults.push(`${this.dropped} events were dropped`)
    const open = new Set<string>()
    for (const event of this.events) {
      if (event.isIncomplete || event.isTruncated) faults.push(`an event with a gap: ${JSON.stringify(event)}`)
      if (event.kind === 'open' && event.isPart !== true) open.add(event.traces[0]!)
      this.#take(event)
    }
    for (const { kind, traces } of this.events)
      if (kind === 'end' && !open.delete(traces[0]!)) faults.push(`an end without a beginning: ${traces[0]}`)
    if (open.size > 0) faults.push(`${open.size} traces that did not end: ${[...open][0]}`)
    if (expected === undefined) return faults.slice(0, 5)
    const found = this.#paths(faults)
    for (const [path, times] of expected)
      if (found.get(path) !== times) faults.push(`${path}: ${times} in the ledger, ${found.get(path)} by the events`)
    for (const path of found.keys()) if (!expected.has(path)) faults.push(`${path}: by the events only`)
    return faults.slice(0, 5)
  }

  get dropped(): number {
    return this.#rings.readers.reduce((sum, reader) => sum + reader.dropped, 0)
  }

  /** Paths of all records that came to an output. */
  #paths(faults: string[]): Map<string, number> {
    const outputs = new Set(this.#plan.stages.filter(({ work }) => work === 'output').map(({ node }) => node))
    const found = new Map<string, number>()
    for (const { node, inputs, kind } of this.events) {
      if (!outputs.has(node) || kind !== 'hop') continue
      for (const key of keysOf(inputs, node)) {
        const path = this.#path(key)
        if (path === undefined) faults.push(`${key} came to ${node} from nowhere`)
        else found.set(`${node} ${path}`, (found.get(`${node} ${path}`) ?? 0) + 1)
      }
    }
    return found
  }

  #path(key: string): string | undefined {
    const known = key.startsWith('*') ? this.#cameTo(key) : key
    const origin = this.#origins.get(known)
    if (origin === undefined) return undefined
    const [parent] = origin.parents
    if (parent === undefined) return undefined
    if (parent.startsWith('=')) return parent.slice(1)
    const above = this.#path(parent)
    if (above === undefined) return undefined
    return this.#isSigned(known, origin.node) ? `${above}/${origin.node}` : above
  }

  /** The edge is not known of what comes from a stash. */
  #cameTo(key: string): string {
    const [node, id] = key.slice(1).split(' ')
    const links = this.#plan.links.filter(({ toNode }) => toNode === node)
    return links.map(({ edges }) => `${edges.at(-1)} ${id}`).find((each) => this.#origins.has(each)) ?? key
  }

  /** Handlers sign what they return; what went by an edge for failures of the stage's own node did not return. */
  #isSigned(key: string, node: string): boolean {
    const [edge] = key.split(' ')
    const { plan } = { plan: this.#plan }
    const link = plan.links.find(
      ({ edges, from }) => String(edges.at(-1)) === edge && plan.stages[from]!.node === node,
    )!
    return this.#signers.has(node) && (link.pathType === 'normal' || plan.edges[link.edges[0]!]!.from !== node)
  }

  #take(event: TraceEvent): void {
    const { node, worker, outputs, inputs, made, isPart } = event
    const taken = made === undefined ? keysOf(inputs, node) : this.#namesOf(event, made)
    const ids = made === undefined ? idsOf(inputs) : idsOf([made])
    for (const output of outputs) {
      idsOf([output]).forEach((id, i) => {
        const same = ids.indexOf(id)
        const places = same >= 0 ? [same] : placesOf(output, i, event, ids.length)
        this.#origins.set(`${output.edge} ${id}`, { node, parents: places.map((place) => taken[place]!) })
      })
    }
    if (made !== undefined && isPart !== true)
      this.#made.set(`${node}.${worker}`, (this.#made.get(`${node}.${worker}`) ?? 0) + made.count)
  }

  /** Records are numbered in the order in which their source made them. */
  #namesOf({ node, worker }: TraceEvent, { count }: TracedRecords): string[] {
    const before = this.#made.get(`${node}.${worker}`) ?? 0
    return Array.from({ length: count }, (_, i) => `=${node}.${worker}:${before + i}`)
  }
}

function placesOf({ origins }: TracedOutput, index: number, { kind }: TraceEvent, count: number): number[] {
  if (origins === undefined) return kind === 'batch' ? Array.from({ length: count }, (_, place) => place) : [index]
  let left = index
  for (let i = 0; i < origins.length; i += 2) {
    if (left < origins[i + 1]!) return [origins[i]!]
    left -= origins[i + 1]!
  }
  return []
}

function idsOf(records: readonly TracedRecords[]): string[] {
  return records.flatMap((each) => Array.from({ length: each.count }, (_, i) => recordIdAt(each, i)))
}

/** From the stash a record comes with its id only: whatever edge brought it. */
function keysOf(inputs: readonly TracedRecords[], node: string): string[] {
  return inputs.flatMap((each) => idsOf([each]).map((id) => `${each.edge ?? `*${node}`} ${id}`))
}
