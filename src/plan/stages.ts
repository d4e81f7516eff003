import { serviceOf } from '../analysis/flow/service.ts'
import { isFailurePath, reachable } from '../analysis/structure.ts'
import { isStage, type ResolvedNode } from '../graph/resolve.ts'
import type { NodeKind } from '../graph/types.ts'
import {
  ACK_RETRY_OPTIONS,
  BREAKER_OPTIONS,
  isGiven,
  RESTART_OPTIONS,
  resolve,
  WORK_OPTIONS,
} from '../options/index.ts'
import { BATCH_FLOATS, EDGE_FLOATS, NODE_FLOATS, WORKER_FLOATS } from '../memory/counters.ts'
import { draftInjection } from './injection.ts'
import { type Network, type NetworkPath, edgeAt, edgesOut, pathFrom, hasWorkers, nodeAt } from './network.ts'
import { slotsOf } from './slots.ts'
import type { LinkDraft, StageDraft } from './stage-draft.ts'
import type { SourcePlan } from './source-plan.ts'
import type { BatchPlan, InputPlan, NodePlan, PortPlan, RehearsedWork, StagePlan, Work } from './types.ts'

/**
 * Drafts the stages of a graph, in the order of its nodes. With `rehearse`, synthetic work takes the place of handlers; with
 * `inject`, a source of the system's own can send to every stage.
 */
export function draftStages(network: Network, restart: object, rehearse: boolean, inject: boolean): StageDraft[] {
  const links = { next: 0 }
  const failures = behindFailures(network)
  const drafts = network.graph.nodes
    .filter(({ id }) => hasWorkers(network, id))
    .map((node, index) => new StageDrafter(network, links, failures, rehearse).draft(node, index, restart))
  return inject ? [...drafts, draftInjection(drafts, links, restart)] : drafts
}

/** Nodes that failures come to, or what comes of them. */
function behindFailures({ given, graph }: Network): ReadonlySet<string> {
  const taken = graph.edges.filter((edge) => isFailurePath(graph.edge(edge).pathType))
  const first = taken.map((edge) => graph.edge(edge).to)
  return new Set(reachable(given, first))
}

class StageDrafter {
  readonly #network: Network
  readonly #failures: ReadonlySet<string>
  readonly #links: { next: number }
  readonly #rehearse: boolean
  readonly #nodes: string[] = []
  readonly #paths: LinkDraft[] = []
  /** What the buffers before an inline node hold: its own edges carry it on. */
  readonly #carried = new Map<string, NetworkPath>()
  #counters = WORKER_FLOATS
  #stage = ''

  constructor(network: Network, links: { next: number }, failures: ReadonlySet<string>, rehearse: boolean) {
    this.#network = network
    this.#failures = failures
    this.#links = links
    this.#rehearse = rehearse
  }

  draft(node: ResolvedNode, index: number, restart: object): StageDraft {
    this.#stage = node.id
    this.#nodes.push(node.id)
    const nodes: NodePlan[] = []
    for (let i = 0; i < this.#nodes.length; i++) nodes.push(this.#node(nodeAt(this.#network, this.#nodes[i]!), i === 0))
    const work = workOf(node)!
    return {
      stage: {
        index,
        node: node.id,
        role: 'node',
        kind: node.kind as StagePlan['kind'],
        work,
        host: work === 'push' || work === 'output' ? 'embedder' : 'pool',
        concurrency: work === 'push' || work === 'output' ? 1 : node.concurrency,
        seats: Math.max(node.concurrency, node.maxConcurrency ?? 1),
        nodes,
        ...(node.scale && { scale: node.scale }),
        limit: limitPlan(node),
        ...(node.kind === 'source'
          ? { source: sourcePlan(node) }
          : { input: inputPlan(node, this.#failures.has(node.id), () => this.#take(BATCH_FLOATS)) }),
        restart: resolve(RESTART_OPTIONS, { ...restart, ...node.restart }),
        resourceLimits: { ...node.resourceLimits },
      },
      paths: this.#paths,
      counters: this.#counters,
    }
  }

  #node(node: ResolvedNode, isOwn: boolean): NodePlan {
    const counters = this.#take(NODE_FLOATS)
    const ports = edgesOut(this.#network, node.id).map((edge) => this.#port(node.id, edge))
    const plain = ports.filter(({ edge }) => edgeAt(this.#network, edge).when === undefined)
    const of = (path: string): PortPlan[] => plain.filter(({ pathType }) => pathType === path)
    // A buffer or merge passes on whatever the edge is for.
    const passesOn = node.kind === 'buffer' || node.kind === 'merge'
    const names = [...new Set(ports.flatMap(({ edge }) => edgeAt(this.#network, edge).when ?? []))]
    const branches = names.map((when) => ({
      when,
      ports: ports.filter(({ edge }) => edgeAt(this.#network, edge).when === when),
    }))
    const found: NodePlan = {
      node: node.id,
      kind: node.kind,
      work: isOwn ? undefined : workOf(node),
      counters,
      out: passesOn ? plain : of('normal'),
      branches,
      error: of('error'),
      deadLetter: of('dead_letter'),
      retry: of('retry'),
    }
    return this.#rehearse ? { ...found, rehearsal: rehearsedWork(this.#network, node, found) } : found
  }

  #port(from: string, edge: number): PortPlan {
    const path = pathFrom(this.#network, edge)
    const counters = this.#take(EDGE_FLOATS)
    const { pathType, nack } = edgeAt(this.#network, edge)
    const choosing = this.#choosingEdge(path)
    const selectors = path.edges.filter((each) => each !== choosing && this.#selects(each))
    const port = {
      edge,
      pathType,
      ...(nack && { nack }),
      ...(selectors.length > 0 && { selectors }),
      edges: path.edges,
      counters,
    }
    if (hasWorkers(this.#network, path.to)) return { ...port, link: this.#link(from, path) }
    this.#carried.set(path.to, path)
    const known = this.#nodes.indexOf(path.to)
    return { ...port, node: known >= 0 ? known : this.#nodes.push(path.to) - 1 }
  }

  #selects(edge: number): boolean {
    return edgeAt(this.#network, edge).selector !== undefined
  }

  /** The edge into a stage that broadcasts: its selector is asked for each worker. */
  #choosingEdge({ edges, to }: NetworkPath): number | undefined {
    const last = edges.at(-1)!
    const { kind, dispatch } = nodeAt(this.#network, to)
    return isStage(kind) && dispatch === 'broadcast' && this.#selects(last) ? last : undefined
  }

  #link(from: string, path: NetworkPath): number {
    const { edges, to, capacity, whenFull, dropEdge } = path
    const index = this.#links.next++
    // An inline node (a conditional, or a buffer or merge with several edges) hands what lies before it on to each of its lanes.
    const kept = this.#carried.get(from)
    this.#paths.push({
      index,
      from: this.#stage,
      to,
      edges: [...(kept?.edges ?? []), ...edges],
      capacity: sum(kept?.capacity, capacity),
      whenFull: whenFull === 'block' ? (kept?.whenFull ?? 'block') : whenFull,
      dropEdge: dropEdge ?? kept?.dropEdge,
      selectorEdge: this.#choosingEdge(path),
    })
    return index
  }

  #take(counters: number): number {
    this.#counters += counters
    return this.#counters - counters
  }
}

function limitPlan({ limit, batch, concurrency, maxConcurrency = 1 }: ResolvedNode): StageDraft['stage']['limit'] {
  const atOnce = (batch?.size ?? 1) * Math.max(concurrency, maxConcurrency)
  const keys = limit?.keyed === true ? { keys: limit.keys } : {}
  return { perSecond: limit?.perSecond ?? 0, burst: limit?.burst ?? 0, atOnce, ...keys }
}

/** What a node does that says nothing about it; nothing where it only passes records on. */
const USUAL_WORK: Readonly<Record<NodeKind, Work | undefined>> = {
  source: 'push',
  transform: 'map',
  buffer: undefined,
  conditional: 'route',
  merge: undefined,
  sink: 'output',
}

function workOf(node: ResolvedNode): Work | undefined {
  return WORK_OPTIONS.find((work) => isGiven(node[work])) ?? USUAL_WORK[node.kind]
}

function rehearsedWork(
  network: Network,
  node: ResolvedNode,
  { branches, retry, error, deadLetter }: Pick<NodePlan, 'branches' | 'retry' | 'error' | 'deadLetter'>,
): RehearsedWork {
  // `rehearsable` has written the share of each edge down; the edges of one branch carry the same records.
  const share = (ports: readonly PortPlan[]): number =>
    Math.max(0, ...ports.map(({ edge }) => edgeAt(network, edge).ratio ?? 0))
  const { cpu, overlap, rate = 0, selectivity } = node
  return {
    latencyMs: serviceOf(node).serviceMs,
    cpu,
    overlaps: !cpu && overlap > 1,
    rate: rate / node.workers,
    selectivity,
    branches: branches.map(({ ports }) => share(ports)),
    retried: share(retry),
    failed: share(error.length > 0 ? error : deadLetter),
  }
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : a + (b ?? 0)
}

function sourcePlan(node: ResolvedNode): SourcePlan {
  const { window, chunk, ack, ackBy, ackRetry, ackInFlight, reasonBytes, metaBytes, maxCrashes, pollSize, pollMs } =
    node
  // Without groups there is one, and so one call at a time.
  const inFlight = ackBy === undefined ? 1 : ackInFlight
  return {
    window,
    chunk,
    slots: slotsOf(window, chunk),
    ...(ack !== undefined && { ack: { inFlight, retry: resolve(ACK_RETRY_OPTIONS, ackRetry) } }),
    reasonWords: Math.ceil(reasonBytes / 4),
    ...(metaBytes !== undefined && { metaBytes }),
    maxCrashes,
    pollSize,
    pollMs,
  }
}

function batchPlan(batch: NonNullable<ResolvedNode['batch']>, counters: number): BatchPlan {
  const { by, of, weigh, instead: _, ...options } = batch
  const isWhole = of !== undefined
  return {
    ...options,
    // One that is closed before all have come would be none.
    ...(isWhole && { maxWeight: Infinity, maxOpen: Infinity }),
    keyed: by !== undefined,
    whole: isWhole,
    weighed: weigh !== undefined,
    counters,
  }
}

/** @param countBatches takes a block of counters */
function inputPlan(node: ResolvedNode, isBehindFailures: boolean, countBatches: () => number): InputPlan {
  const { batch, maxInFlight, ordered, partitionBy, timeoutMs = 0, maxCrashes, breaker, stashBytes } = node
  const { preload, preloadSize } = node
  // `when` is a handler: workers find it in the graph.
  const { when: _, ...retry } = node.retry
  return {
    ...(batch && { batch: batchPlan(batch, countBatches()) }),
    maxInFlight,
    ...(preload !== undefined && { preloads: preloadSize }),
    ordered,
    keyed: partitionBy !== undefined,
    retry,
    timeoutMs,
    maxCrashes,
    isBehindFailures,
    ...(breaker && { breaker: resolve(BREAKER_OPTIONS, breaker) }),
    ...(stashBytes === undefined ? {} : { stashBytes }),
  }
}
