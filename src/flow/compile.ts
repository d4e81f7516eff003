import type { GraphCluster, GraphEdge, GraphNode } from '../graph/types.ts'
import type { BranchData, FlowData, FlowPart, ForEachData, StepData } from './data.ts'
import {
  CLOSED,
  ITEM,
  type Incoming,
  type IncomingEdges,
  PAST,
  SKIPPED,
  chooseBranches,
  joinBranches,
  joinItems,
  splitItems,
  stepJoin,
  stepMap,
  stepRecovery,
  withoutValue,
} from './handlers.ts'
import { type Parcel, groupOf, outerGroupOf } from './parcel.ts'

type Handler = (...args: any[]) => any

/** Where something of a part comes out: a node, all of it or one of its branches, and whether its failures do too. */
interface Exit {
  readonly node: string
  readonly when?: string
  readonly failures: boolean
}

/** An edge into a part: the exits of what is before it, and what it does. */
interface Into extends Incoming {
  readonly exits: readonly Exit[]
  readonly label?: string
  readonly when?: string
}

export const DEFAULT_REQUESTS = 128
export const DEFAULT_ITEMS = 1_000
const DEFAULT_JOIN_BYTES = 16_777_216
const MAX_STASH_BYTES = 536_870_912
/** What a parcel without its value takes in a stash, at most; a quarter of a stash is kept for such. */
const [SMALL_PARCEL_BYTES, RESERVED_SHARE] = [512, 4]
/** Calls of an async `map` behind a `join` that overlap in each worker: as many as those of a step without one. */
const CALLS = 16
/** What predictions take a `forEach` to have. */
const TYPICAL_ITEMS = 10
/** Failures are few: their lanes are small, and a larger one goes in fragments. */
const FAILURE_LANE_BYTES = 65_536

/** What a join waits for: at most so many, as `of` says; predictions take it to be `typical`. */
interface Gathered {
  readonly size: number
  readonly by?: (arrival: any) => string
  readonly of?: (parcel: any) => number | undefined
  readonly typical?: number
}

/** What a flow's graph is made of. */
export interface CompiledFlow {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly clusters: readonly GraphCluster[]
}

/** Compiles a flow that has no problems. */
export function compileFlow(flow: FlowData): CompiledFlow {
  const { maxRequests = DEFAULT_REQUESTS, joinBytes = DEFAULT_JOIN_BYTES } = flow.settings
  const compiler = new Compiler(maxRequests, joinBytes)
  compiler.source()
  const start: Into = { name: 'request', data: true, exits: [{ node: 'request', failures: false }] }
  compiler.sink(compiler.flow(flow, '', undefined, start))
  return compiler
}

class Compiler implements CompiledFlow {
  readonly nodes: GraphNode[] = []
  readonly edges: GraphEdge[] = []
  readonly clusters: GraphCluster[] = []
  readonly #maxRequests: number
  readonly #joinBytes: number

  constructor(maxRequests: number, joinBytes: number) {
    this.#maxRequests = maxRequests
    this.#joinBytes = joinBytes
  }

  source(): void {
    this.nodes.push({ id: 'request', kind: 'source', push: true, window: this.#maxRequests, granule: 1 })
  }

  sink(exits: readonly Exit[]): void {
    this.nodes.push({ id: 'answer', kind: 'sink' })
    this.#connect(exits, 'answer')
  }

  /** All parts of a flow, each after those before it. @returns where its answer comes out */
  flow({ parts, links }: FlowData, prefix: string, cluster: string | undefined, start: Into): readonly Exit[] {
    const exits = new Map<string, readonly Exit[]>()
    const left = new Set(parts)
    for (let before = -1; left.size > 0 && left.size !== before;) {
      before = left.size
      for (const part of left) {
        const edges = links.filter(({ to }) => to === part.id)
        if (!edges.every(({ from }) => exits.has(from))) continue
        const into = edges.map(({ from, map, data = true }): Into => ({
          name: from,
          map,
          data,
          exits: exits.get(from)!,
        }))
        exits.set(part.id, this.#part(part, prefix, cluster, into.length === 0 ? [start] : into))
        left.delete(part)
      }
    }
    const end = parts.find(({ id }) => links.every(({ from }) => from !== id))!
    return exits.get(end.id)!
  }

  #part(part: FlowPart, prefix: string, cluster: string | undefined, into: readonly Into[]): readonly Exit[] {
    const node = prefix + part.id
    if (part.kind === 'step') return this.#step(node, cluster, part.options, into)
    this.clusters.push({ id: node, label: part.id, ...(cluster === undefined ? {} : { parent: cluster }) })
    if (part.kind === 'branch') return this.#branch(node, part.options, into)
    if (part.kind === 'forEach') return this.#forEach(node, part.options, into)
    return this.flow(part.flow, `${node}.`, node, into[0]!)
  }

  #step(node: string, cluster: string | undefined, options: StepData, into: readonly Into[]): readonly Exit[] {
    const { map, join, onFailure, ...rest } = options
    const incoming = incomingOf(into)
    const place = cluster === undefined ? {} : { cluster }
    if (join === undefined) this.#node(node, { ...rest, ...place, map: stepMap(node, incoming, map!) })
    else {
      const shared = { maxInFlight: CALLS, ...rest, ...place }
      this.#join(node, shared, { size: into.length }, stepJoin(node, incoming, join, map))
    }
    this.#enter(into, node)
    if (onFailure === undefined) return [{ node, failures: true }]
    const recovery = `${node}.onFailure`
    this.#node(recovery, { ...place, label: 'on failure', map: stepRecovery(recovery, node, incoming, onFailure) })
    this.edges.push({ from: node, to: recovery, pathType: 'error', laneBytes: FAILURE_LANE_BYTES })
    return [
      { node, failures: false },
      { node: recovery, failures: true },
    ]
  }

  #branch(node: string, options: BranchData, into: readonly Into[]): readonly Exit[] {
    const { when, branches = {}, join, onNone = 'continue', ...rest } = options
    const [chooser, ways, joiner] = [node, `${node}.branches`, `${node}.join`]
    const names = Object.keys(branches)
    const exitOf = new Map<string, string>()
    const nameOf = new Map<string, string>()
    this.#choose(chooser, ways, rest, into)
    const joined: Exit[] = [{ node: ways, when: SKIPPED, failures: false }]
    for (const name of names) {
      const inner = `${node}.${name}`
      this.clusters.push({ id: inner, label: name, parent: node })
      const start: Into = { name: chooser, data: true, exits: [{ node: ways, when: name, failures: false }] }
      const exits = this.flow(branches[name]!, `${inner}.`, inner, start)
      exitOf.set(name, exits[0]!.node)
      for (const exit of exits) nameOf.set(exit.node, name)
      joined.push(...exits)
    }
    const choosing = chooseBranches(chooser, incomingOf(into), { when: when!, branches: exitOf, onNone })
    this.#setHandler(chooser, { flatMap: choosing, selectivity: names.length })
    this.#join(
      joiner,
      { ...restartsOf(rest), cluster: node, label: 'join' },
      { size: names.length },
      joinBranches(joiner, nameOf, join),
    )
    this.#connect(joined, joiner)
    return this.#afterChoice(chooser, ways, joiner)
  }

  #forEach(node: string, options: ForEachData, into: readonly Into[]): readonly Exit[] {
    const { items, each, join, onError = 'fail', maxItems = DEFAULT_ITEMS, ...rest } = options
    const [splitter, ways, joiner] = [node, `${node}.items`, `${node}.join`]
    this.#choose(splitter, ways, rest, into)
    const splitting = splitItems(splitter, incomingOf(into), { items: items!, maxItems })
    const typical = Math.min(maxItems, TYPICAL_ITEMS)
    this.#setHandler(splitter, { flatMap: splitting, selectivity: typical + 1 })
    const inner = `${node}.each`
    this.clusters.push({ id: inner, label: 'each', parent: node })
    const start: Into = { name: splitter, data: true, exits: [{ node: ways, when: ITEM, failures: false }] }
    const exits = this.flow(each!, `${inner}.`, inner, start)
    const shared = { ...restartsOf(rest), cluster: node, label: 'join' }
    const gathered = { size: maxItems + 1, by: outerGroupOf, of: itemsAndClose, typical: typical + 1 }
    this.#join(joiner, shared, gathered, joinItems(joiner, onError, join))
    this.#connect([...exits, { node: ways, when: CLOSED, failures: false }], joiner)
    return this.#afterChoice(splitter, ways, joiner)
  }

  /** The node that makes several parcels of one, and the one that says which way each goes. */
  #choose(chooser: string, ways: string, options: object, into: readonly Into[]): void {
    this.#node(chooser, { ...options, cluster: chooser })
    this.nodes.push({ id: ways, kind: 'conditional', cluster: chooser, route: ({ to }: Parcel) => to! })
    this.edges.push({ from: chooser, to: ways })
    this.#enter(into, chooser)
  }

  #afterChoice(chooser: string, ways: string, joiner: string): readonly Exit[] {
    const exits = [
      { node: joiner, failures: true },
      { node: ways, when: PAST, failures: false },
    ]
    return [...exits, { node: chooser, when: '', failures: true }]
  }

  #setHandler(id: string, handler: object): void {
    const at = this.nodes.findIndex((node) => node.id === id)
    this.nodes[at] = { ...this.nodes[at]!, ...handler }
  }

  #node(id: string, options: object): void {
    this.nodes.push({ ...options, id, kind: 'transform' })
  }

  /** A node that gathers what belongs together. */
  #join(
    id: string,
    options: object,
    { size, by = groupOf, of = () => size, typical = size }: Gathered,
    mapBatch: Handler,
  ): void {
    const least = SMALL_PARCEL_BYTES * RESERVED_SHARE * this.#maxRequests * size
    const stashBytes = Math.min(MAX_STASH_BYTES, Math.max(this.#joinBytes, least))
    const batch = { size, by, of, instead: withoutValue } as never
    this.#node(id, { ...options, stashBytes, partitionBy: by, batch, mapBatch, selectivity: 1 / typical })
  }

  #enter(into: readonly Into[], node: string): void {
    for (const { exits, data } of into) this.#connect(exits, node, data ? {} : { label: 'order only' })
  }

  /** Failures take the same way as answers, so that whoever waits for one gets the other. */
  #connect(exits: readonly Exit[], to: string, options: object = {}): void {
    for (const { node, when, failures } of exits) {
      if (when !== '') this.edges.push({ ...options, from: node, to, ...(when === undefined ? {} : { when }) })
      if (failures) this.edges.push({ from: node, to, pathType: 'error', laneBytes: FAILURE_LANE_BYTES })
    }
  }
}

/** What is said of crashes holds for the node that joins, too: `join` runs there. */
function restartsOf({ maxCrashes, restart }: { readonly [option: string]: unknown }): object {
  return { ...(maxCrashes === undefined ? {} : { maxCrashes }), ...(restart === undefined ? {} : { restart }) }
}

/** The parcel that closes the items says how many there are. */
function itemsAndClose({ items }: Parcel): number | undefined {
  return items === undefined ? undefined : items + 1
}

function incomingOf(into: readonly Into[]): IncomingEdges {
  return new Map(
    into.flatMap(({ exits, name, map, data }) => exits.map(({ node }) => [node, { name, map, data }] as const)),
  )
}
