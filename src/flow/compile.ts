import type { GraphCluster, GraphEdge, GraphNode } from '../graph/types.ts'
import type { BranchData, FlowData, FlowPart, ForEachData, StepData } from './data.ts'
import { PAST, SKIPPED, chooseBranches, joinBranches } from './branches.ts'
import { stepJoin, stepMap, stepRecovery, stepUndo, withoutValue } from './handlers.ts'
import { CLOSED, ITEM, joinItems, splitItems } from './items.ts'
import {
  CALLS,
  DEFAULT_ITEMS,
  DEFAULT_JOIN_BYTES,
  DEFAULT_REQUESTS,
  FAILURE_LANE_BYTES,
  MAX_STASH_BYTES,
  RESERVED_SHARE,
  SMALL_PARCEL_BYTES,
  TYPICAL_ITEMS,
  UNDO_ATTEMPTS,
} from './limits.ts'
import { type Parcel, groupOf, outerGroupOf } from './parcel.ts'
import { NOTE, type Site } from './site.ts'
import {
  NodesBelow,
  type Exit,
  type Gathering,
  type Into,
  type PartRoom,
  incomingOf,
  itemsAndClose,
  keepsSteps,
  racesOf,
  restartsOf,
  answerWeight,
  failureWeight,
} from './wiring.ts'

type Handler = (...args: any[]) => any

/** Nodes for what the thread of `runFlow` is told of steps, and for what it has undone. */
export const STEPS_NODE = 'answer.steps'
export const UNDO_NODE = 'request.undo'
const UNDONE_NODE = 'request.undone'

/** What a flow's graph is made of. */
export interface CompiledFlow {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly clusters: readonly GraphCluster[]
  /** Steps that can be undone. */
  readonly undoable: ReadonlySet<string>
  /** Nodes that make the answers of items, or let them past, each with its `forEach`. */
  readonly itemEnds: ReadonlyMap<string, string>
}

/** Compiles a flow that has no problems. */
export function compileFlow(flow: FlowData): CompiledFlow {
  const { maxRequests = DEFAULT_REQUESTS, joinBytes = DEFAULT_JOIN_BYTES } = flow.settings
  const compiler = new Compiler(maxRequests, joinBytes, keepsSteps(flow))
  compiler.source()
  const start: Into = { name: 'request', data: true, exits: [{ node: 'request', failures: false }] }
  compiler.sink(compiler.flow(flow, { prefix: '', cluster: undefined, depth: 0, races: [] }, start))
  compiler.undo()
  return compiler
}

class Compiler implements CompiledFlow {
  readonly nodes: GraphNode[] = []
  readonly edges: GraphEdge[] = []
  readonly clusters: GraphCluster[] = []
  readonly itemEnds = new Map<string, string>()
  readonly #maxRequests: number
  readonly #joinBytes: number
  readonly #isKept: boolean
  readonly #undos = new Map<string, Handler>()
  /** Nodes that say what they did. */
  readonly #kept: string[] = []
  readonly #below = new NodesBelow(this.edges)

  constructor(maxRequests: number, joinBytes: number, isKept: boolean) {
    this.#maxRequests = maxRequests
    this.#joinBytes = joinBytes
    this.#isKept = isKept
  }

  get undoable(): ReadonlySet<string> {
    return new Set(this.#undos.keys())
  }

  source(): void {
    this.nodes.push({ id: 'request', kind: 'source', push: true, window: this.#maxRequests, chunk: 1 })
  }

  sink(exits: readonly Exit[]): void {
    this.nodes.push({ id: 'answer', kind: 'sink' })
    this.#connect(exits, 'answer')
    if (!this.#isKept) return
    this.nodes.push({ id: STEPS_NODE, kind: 'sink', label: 'steps' })
    for (const from of this.#kept) {
      this.edges.push({ from, to: STEPS_NODE, when: NOTE })
      this.edges.push({ from, to: STEPS_NODE, pathType: 'error', laneBytes: FAILURE_LANE_BYTES })
    }
  }

  /** What steps have done is undone one by one: the thread of `runFlow` says what comes next. */
  undo(): void {
    if (this.#undos.size === 0) return
    this.nodes.push({ id: UNDO_NODE, kind: 'source', label: 'undo', push: true, window: this.#maxRequests, chunk: 1 })
    this.nodes.push({
      id: UNDONE_NODE,
      kind: 'sink',
      label: 'undone',
      write: stepUndo(this.#undos),
      retry: { maxAttempts: UNDO_ATTEMPTS },
      maxCrashes: UNDO_ATTEMPTS,
    })
    this.edges.push({ from: UNDO_NODE, to: UNDONE_NODE })
  }

  /** All parts of a flow, each after those before it. @returns where its answer comes out */
  flow(flow: FlowData, room: PartRoom, start: Into): readonly Exit[] {
    const { parts, links } = flow
    const races = racesOf(flow, room)
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
        exits.set(
          part.id,
          this.#part(part, { ...room, races: races.get(part.id)! }, into.length === 0 ? [start] : into),
        )
        left.delete(part)
      }
    }
    const end = parts.find(({ id }) => links.every(({ from }) => from !== id))!
    return exits.get(end.id)!
  }

  #part(part: FlowPart, room: PartRoom, into: readonly Into[]): readonly Exit[] {
    const node = room.prefix + part.id
    const { cluster } = room
    if (part.kind === 'step') return this.#step(node, room, part.options, into)
    this.clusters.push({ id: node, label: part.id, ...(cluster === undefined ? {} : { parent: cluster }) })
    if (part.kind === 'branch') return this.#branch(node, room, part.options, into)
    if (part.kind === 'forEach') return this.#forEach(node, room, part.options, into)
    return this.flow(part.flow, { ...room, prefix: `${node}.`, cluster: node }, into[0]!)
  }

  #site(node: string, { races }: PartRoom, into: readonly Into[]): Site {
    return { node, incoming: incomingOf(into), isKept: this.#isKept, races, below: () => this.#below.of(node) }
  }

  #step(node: string, room: PartRoom, options: StepData, into: readonly Into[]): readonly Exit[] {
    const { map, join, onFailure, undo, quorum, ...rest } = options
    const { cluster } = room
    const site = this.#site(node, room, into)
    this.#kept.push(node)
    if (undo !== undefined) this.#undos.set(node, undo)
    const place = cluster === undefined ? {} : { cluster }
    if (join === undefined) this.#node(node, { ...rest, ...place, map: stepMap(site, map!) })
    else {
      const shared = { maxInFlight: CALLS, ...rest, ...place }
      this.#join(node, shared, { size: into.length, quorum }, stepJoin(site, join, map, quorum))
    }
    this.#enter(into, node)
    if (onFailure === undefined) return [{ node, failures: true }]
    const recovery = `${node}.onFailure`
    this.#node(recovery, {
      ...place,
      label: 'on failure',
      map: stepRecovery({ ...site, node: recovery }, node, onFailure),
    })
    this.#kept.push(recovery)
    this.edges.push({ from: node, to: recovery, pathType: 'error', laneBytes: FAILURE_LANE_BYTES })
    return [
      { node, failures: false },
      { node: recovery, failures: true },
    ]
  }

  #branch(node: string, room: PartRoom, options: BranchData, into: readonly Into[]): readonly Exit[] {
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
      const exits = this.flow(branches[name]!, { ...room, prefix: `${inner}.`, cluster: inner }, start)
      exitOf.set(name, exits[0]!.node)
      for (const exit of exits) nameOf.set(exit.node, name)
      joined.push(...exits)
    }
    const choice = { when: when!, branches: exitOf, onNone, joiner }
    const choosing = chooseBranches(this.#site(chooser, room, into), choice)
    this.#setHandler(chooser, { flatMap: choosing, selectivity: names.length })
    this.#join(
      joiner,
      { ...restartsOf(rest), cluster: node, label: 'join' },
      { size: names.length },
      joinBranches(this.#site(joiner, room, []), nameOf, join),
    )
    this.#connect(joined, joiner)
    return this.#afterChoice(chooser, ways, joiner)
  }

  #forEach(node: string, room: PartRoom, options: ForEachData, into: readonly Into[]): readonly Exit[] {
    const { items, each, join, onError = 'fail', maxItems = DEFAULT_ITEMS, ...rest } = options
    const [splitter, ways, joiner] = [node, `${node}.items`, `${node}.join`]
    this.#choose(splitter, ways, rest, into)
    const splitting = splitItems(this.#site(splitter, room, into), { items: items!, maxItems, joiner })
    const typical = Math.min(maxItems, TYPICAL_ITEMS)
    this.#setHandler(splitter, { flatMap: splitting, selectivity: typical + 1 })
    const inner = `${node}.each`
    this.clusters.push({ id: inner, label: 'each', parent: node })
    const start: Into = { name: splitter, data: true, exits: [{ node: ways, when: ITEM, failures: false }] }
    const isEager = onError === 'fail'
    // The first item that fails is the failure of all: the others need not go on.
    const races = isEager ? [...room.races, { node: joiner, depth: room.depth }] : room.races
    const around = { ...room, races, prefix: `${inner}.`, cluster: inner, depth: room.depth + 1 }
    const exits = this.flow(each!, around, start)
    for (const exit of exits) {
      if (exit.when === '') continue
      this.itemEnds.set(exit.node, node)
      // What no node makes is told by the one that lets it past.
      if (this.#isKept && exit.when !== undefined) this.edges.push({ from: exit.node, to: STEPS_NODE, when: exit.when })
    }
    const shared = { ...restartsOf(rest), cluster: node, label: 'join' }
    const gathered = { size: maxItems + 1, by: outerGroupOf, of: itemsAndClose, typical: typical + 1, isEager }
    this.#join(joiner, shared, gathered, joinItems(this.#site(joiner, room, []), onError, join))
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
    this.#kept.push(chooser, joiner)
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

  /** A node that gathers what belongs together. The waiting is a batch's: `worker/stages/open-batches.ts`. */
  #join(
    id: string,
    options: object,
    { size, by = groupOf, of = () => size, typical = size, quorum, isEager = false }: Gathering,
    mapBatch: Handler,
  ): void {
    const least = SMALL_PARCEL_BYTES * RESERVED_SHARE * this.#maxRequests * size
    const stashBytes = Math.min(MAX_STASH_BYTES, Math.max(this.#joinBytes, least))
    const answers = quorum === undefined ? {} : { weigh: answerWeight, weight: quorum }
    const enough = isEager ? { weigh: failureWeight, weight: 1 } : answers
    const batch = { size, by, of, instead: withoutValue, ...enough } as never
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
