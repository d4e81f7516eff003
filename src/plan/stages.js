import { NODE_OPTIONS, RESTART_OPTIONS, RETRY_OPTIONS, BATCH_OPTIONS, resolve } from '../options.js'
import { EDGE_COUNTERS, NODE_COUNTERS, WORKER_COUNTERS } from '../telemetry/counters.js'
import { edgeAt, edgesOut, follow, isStage, nodeAt } from './network.js'
/** The hidden source of injected records: no id of a graph's node begins so in practice, and it is in no graph. */
export const INJECT = '(inject)'
const DEFAULT_GRANULE = 128
const DEFAULT_IN_FLIGHT = 16
/** Injected records that may be on their way at once. */
const INJECTED_RECORDS = 64
/**
 * Drafts the stages of a graph, in the order of its nodes. With `rehearse`, synthetic work takes the place of handlers; with
 * `inject`, a hidden source can send to every stage.
 */
export function draftStages(network, restart, rehearse, inject) {
  const links = { next: 0 }
  const drafts = network.graph.nodes
    .filter(({ id }) => isStage(network, id))
    .map((node, index) => new StageDrafter(network, links, rehearse).draft(node, index, restart))
  return inject ? [...drafts, draftInjection(drafts, links, restart)] : drafts
}
/** A push source whose records name the node that they are for; an inline node unwraps them. */
function draftInjection(drafts, links, restart) {
  let counters = WORKER_COUNTERS
  const take = (count) => (counters += count) - count
  const none = {
    branches: [],
    error: [],
    deadLetter: [],
    retry: [],
    rehearsal: { selectivity: 1, shares: [], latencyMs: 0 },
  }
  const port = { edge: -1, edges: [], pathType: 'normal' }
  const root = {
    ...none,
    node: INJECT,
    kind: 'source',
    counters: take(NODE_COUNTERS.length),
    out: [{ ...port, counters: take(EDGE_COUNTERS), node: 1 }],
  }
  const targets = drafts.filter(({ stage }) => stage.kind !== 'source').map(({ stage }) => stage.node)
  const paths = targets.map((to) => ({
    index: links.next++,
    from: INJECT,
    to,
    edges: [],
    capacity: INJECTED_RECORDS,
    whenFull: 'block',
    dropEdge: undefined,
  }))
  const branches = paths.map(({ to, index }) => ({
    when: to,
    ports: [{ ...port, counters: take(EDGE_COUNTERS), link: index }],
  }))
  const unwrap = {
    ...none,
    node: INJECT,
    kind: 'inject',
    counters: take(NODE_COUNTERS.length),
    out: [],
    branches,
  }
  return {
    stage: {
      index: drafts.length,
      node: INJECT,
      isHidden: true,
      kind: 'source',
      work: 'push',
      host: 'embedder',
      concurrency: 1,
      nodes: [root, unwrap],
      source: { window: INJECTED_RECORDS, granule: 1, rateLimit: 0, rate: 0, acks: false },
      restart: resolve(RESTART_OPTIONS, restart),
      resourceLimits: {},
      rehearsal: { latencyMs: 0, cpu: false },
    },
    paths,
    counters,
  }
}
class StageDrafter {
  #network
  #links
  #rehearse
  #nodes = []
  #paths = []
  /** What the buffers before an inline buffer or merge hold: its own edges carry it on. */
  #carried = new Map()
  #counters = WORKER_COUNTERS
  #stage = ''
  constructor(network, links, rehearse) {
    this.#network = network
    this.#links = links
    this.#rehearse = rehearse
  }
  draft(node, index, restart) {
    this.#stage = node.id
    this.#nodes.push(node.id)
    const nodes = []
    for (let i = 0; i < this.#nodes.length; i++) nodes.push(this.#node(nodeAt(this.#network, this.#nodes[i]), i === 0))
    const work = this.#work(node)
    return {
      stage: {
        index,
        node: node.id,
        isHidden: false,
        kind: node.kind,
        work,
        host: work === 'push' || work === 'output' ? 'embedder' : 'pool',
        concurrency: work === 'push' || work === 'output' ? 1 : (node.concurrency ?? NODE_OPTIONS.concurrency.default),
        nodes,
        ...(node.kind === 'source' ? { source: sourcePlan(node) } : { input: inputPlan(node) }),
        restart: resolve(RESTART_OPTIONS, { ...restart, ...node.restart }),
        resourceLimits: { ...node.resourceLimits },
        rehearsal: { latencyMs: serviceMs(node), cpu: node.cpu ?? false },
      },
      paths: this.#paths,
      counters: this.#counters,
    }
  }
  #work(node) {
    if (this.#rehearse) return rehearsedWork(node)
    for (const work of ['produce', 'poll', 'map', 'flatMap', 'filter', 'mapBatch', 'write']) {
      if (node[work] !== undefined) return work
    }
    return node.kind === 'source' ? 'push' : node.kind === 'sink' ? 'output' : 'map'
  }
  #node(node, isOwn) {
    const counters = this.#take(NODE_COUNTERS.length)
    const ports = edgesOut(this.#network, node.id).map((edge) => this.#port(node.id, edge))
    const plain = ports.filter(({ edge }) => edgeAt(this.#network, edge).when === undefined)
    const of = (path) => plain.filter(({ pathType }) => pathType === path)
    // A buffer or merge passes on whatever the edge is for.
    const passesOn = node.kind === 'buffer' || node.kind === 'merge'
    const names = [...new Set(ports.flatMap(({ edge }) => edgeAt(this.#network, edge).when ?? []))]
    const branches = names.map((when) => ({
      when,
      ports: ports.filter(({ edge }) => edgeAt(this.#network, edge).when === when),
    }))
    return {
      node: node.id,
      kind: node.kind,
      work: isOwn
        ? undefined
        : node.kind === 'conditional'
          ? 'route'
          : isStageKind(node)
            ? this.#work(node)
            : undefined,
      counters,
      out: passesOn ? plain : of('normal'),
      branches,
      error: of('error'),
      deadLetter: of('dead_letter'),
      retry: of('retry'),
      rehearsal: {
        selectivity: node.selectivity ?? NODE_OPTIONS.selectivity.default,
        shares: branches.map(({ ports }) => edgeAt(this.#network, ports[0].edge).ratio ?? 1 / branches.length),
        latencyMs: serviceMs(node),
      },
    }
  }
  #port(from, edge) {
    const path = follow(this.#network, edge, NODE_OPTIONS.capacity.default)
    const counters = this.#take(EDGE_COUNTERS)
    const { pathType = 'normal' } = edgeAt(this.#network, edge)
    const port = { edge, pathType, edges: path.edges, counters }
    if (isStage(this.#network, path.to)) return { ...port, link: this.#link(from, path) }
    this.#carried.set(path.to, path)
    const known = this.#nodes.indexOf(path.to)
    return { ...port, node: known >= 0 ? known : this.#nodes.push(path.to) - 1 }
  }
  #link(from, { edges, to, capacity, whenFull, dropEdge }) {
    const index = this.#links.next++
    // An inline buffer or merge (one with several edges) hands what lies before it on to each of its lanes.
    const before = this.#carried.get(from)
    const kept = nodeAt(this.#network, from).kind === 'conditional' ? undefined : before
    this.#paths.push({
      index,
      from: this.#stage,
      to,
      edges: [...(kept?.edges ?? []), ...edges],
      capacity: sum(kept?.capacity, capacity),
      whenFull: whenFull === 'block' ? (kept?.whenFull ?? 'block') : whenFull,
      dropEdge: dropEdge ?? kept?.dropEdge,
    })
    return index
  }
  #take(counters) {
    this.#counters += counters
    return this.#counters - counters
  }
}
function rehearsedWork({ kind, selectivity, mapBatch, batch }) {
  if (kind === 'source') return 'produce'
  if (kind === 'sink') return 'write'
  if (mapBatch !== undefined || batch !== undefined) return 'mapBatch'
  return selectivity === undefined || selectivity === 1 ? 'map' : 'flatMap'
}
function sum(a, b) {
  return a === undefined ? b : a + (b ?? 0)
}
function isStageKind({ kind }) {
  return kind === 'transform' || kind === 'sink'
}
function serviceMs(node) {
  if (node.serviceRate !== undefined)
    return (1000 * (node.concurrency ?? NODE_OPTIONS.concurrency.default)) / node.serviceRate
  return node.latencyMs ?? 0
}
function sourcePlan(node) {
  const workers = node.push === true ? 1 : (node.concurrency ?? NODE_OPTIONS.concurrency.default)
  const acks = node.ack !== undefined
  const single = acks || node.push === true || (node.produce === undefined && node.poll === undefined)
  return {
    window: node.window ?? NODE_OPTIONS.window.default,
    granule: node.granule ?? (single ? 1 : DEFAULT_GRANULE),
    rateLimit: (node.rateLimit ?? 0) / workers,
    rate: (node.rate ?? 0) / workers,
    acks,
  }
}
function inputPlan(node) {
  const batch = node.batch === undefined && node.mapBatch === undefined ? undefined : resolve(BATCH_OPTIONS, node.batch)
  return {
    ...(batch === undefined
      ? {}
      : { batch: { size: batch.size, timeoutMs: batch.timeoutMs, keyed: node.batch?.by !== undefined } }),
    maxInFlight: node.maxInFlight ?? (batch === undefined ? DEFAULT_IN_FLIGHT : 1),
    ordered: node.ordered ?? NODE_OPTIONS.ordered.default,
    keyed: node.partitionBy !== undefined,
    retry: resolve(RETRY_OPTIONS, node.retry),
    timeoutMs: node.timeoutMs ?? 0,
    maxCrashes: node.maxCrashes ?? NODE_OPTIONS.maxCrashes.default,
  }
}
