import { MillraceError } from '../errors.js'
import { LaneWriter } from '../lane/writer.js'
import { DEAD_LETTERED, DONE, FAILED, FILTERED, IN, RECORDS } from '../telemetry/counters.js'
import { chooserOf } from './dispatch.js'
import { LinkWriter } from './link-writer.js'
/** A node of this stage: its counters and its ports. */
export class NodeOutlet {
  plan
  counters
  at
  out = []
  branches = new Map()
  error = []
  deadLetter = []
  retry = []
  constructor(plan, counters) {
    this.plan = plan
    this.counters = counters
    this.at = plan.counters
  }
  count(counter, records) {
    this.counters[this.at + counter] += records
  }
}
/**
 * A worker's writing side: where the outputs of its handler go. Conditionals, inline buffers and merges, and fused nodes run
 * here, record by record; links write to lanes, granule by granule.
 */
export class Outlet {
  /** The stage's own node. */
  root
  #nodes
  #links = []
  #settlement
  #handlers
  #onFault
  #counters
  /** What the granule in hand adds to the counters and to the failures: known to others only once it is wholly done. */
  #pending
  /** Granules of the records that were nacked. */
  #failed = []
  #granule
  #isWanting = true
  #records = 0
  /** Something of the granule in hand is on a lane. */
  #hasSent = false
  constructor(given) {
    this.#settlement = given.settlement
    this.#handlers = given.handlers
    this.#onFault = given.onFault
    this.#counters = given.counters
    this.#pending = new Float64Array(given.counters.length)
    this.#nodes = given.stage.nodes.map((node) => new NodeOutlet(node, this.#pending))
    this.root = this.#nodes[0]
    const keepsIds = linksThatKeepIds(given.stage)
    const linkOf = (port) => {
      const link = given.plan.links[port.link]
      const ends = given.worker.outputs.filter((end) => end.link === link.index)
      const writers = ends.map(({ layout }) => new LaneWriter(given.memory, layout))
      const sentBefore = writers.reduce((sum, { sentBefore }) => sum + sentBefore, 0)
      const chooser = chooserOf(link.dispatch, given.handlers.dispatch(link), sentBefore)
      const { memory, plan, counters, settlement } = given
      const at = port.counters
      const writer = new LinkWriter({
        memory,
        plan,
        link,
        ends,
        chooser,
        counters,
        at,
        settlement,
        keepsIds: keepsIds.has(link.index),
      })
      this.#links.push(writer)
      return writer
    }
    for (const node of this.#nodes) this.#connect(node, linkOf)
  }
  /** Starts sending what comes of `granule`, of which so many records are in hand. */
  open(granule, records) {
    this.#granule = granule
    this.#records = records
    this.#hasSent = false
  }
  /** Sends a record to all edges of a node that have no branch. */
  send(node, value, origin) {
    const { out } = node
    for (let i = 0; i < out.length; i++) out[i].send(value, origin)
  }
  /**
   * Sends values[from], … before `to`, one for each input with the same index, to all edges that have no branch. The array
   * may be kept until the granule is closed: the caller makes a new one for the next granule.
   */
  sendRun(node, values, from, to) {
    const { out } = node
    for (let i = 0; i < out.length; i++) out[i].sendRun(values, from, to)
  }
  /** Sends a record to the edges of a branch. */
  emit(node, branch, value, origin) {
    const ports = node.branches.get(branch)
    if (ports === undefined) throw new MillraceError('ROUTE_UNKNOWN', { node: node.plan.node, branch })
    for (let i = 0; i < ports.length; i++) ports[i].send(value, origin)
  }
  /**
   * Gives a record up: to the error edge, else to the dead-letter edge, else it is nacked.
   * @param owner the granule that the record counts for, where that is not the one in hand: a batch has many
   */
  giveUp(node, input, origin, fault, owner = this.#granule) {
    const ports = node.error.length > 0 ? node.error : node.deadLetter
    const outcome = ports.length === 0 ? 'failed' : node.error.length > 0 ? 'error' : 'deadLettered'
    if (outcome === 'failed') this.#failed.push(owner)
    else for (const port of ports) port.send(failureOf(node.plan.node, input, fault), origin)
    // A source counts its records when their slots end.
    const isOwnSource = node === this.root && node.plan.kind === 'source'
    if (!isOwnSource) node.count(outcome === 'deadLettered' ? DEAD_LETTERED : FAILED, 1)
    this.#onFault(node.plan.node, input, fault, outcome)
  }
  /** Counts something of the stage's own node that belongs to no granule in hand. */
  tally(counter, records) {
    this.#counters[this.root.at + counter] += records
  }
  /** Records that could be sent now, if they all took the edge with most credit. */
  demand() {
    let most = 0
    for (const link of this.#links) most = Math.max(most, link.credit())
    return this.#links.length === 0 ? Infinity : most
  }
  /** Tells the readers below that this worker waits for credit. */
  want(wanting) {
    if (wanting === this.#isWanting) return
    this.#isWanting = wanting
    for (const link of this.#links) link.want(wanting)
  }
  /** Writes what waits to the lanes; false where some of it has no credit or room yet. */
  flush(stamp) {
    const before = this.waiting
    const isWhole = !this.#hasSent && before === this.#records
    let isDone = true
    for (const link of this.#links) {
      const { waiting } = link
      if (waiting === 0) continue
      if (!link.flush(this.#granule, isWhole && waiting === this.#records, stamp, this.#refuse)) isDone = false
    }
    if (!isDone && this.waiting < before) this.#hasSent = true
    if (isDone) this.want(false)
    else this.#isWanting = true
    return isDone
  }
  /** Records that wait for lanes. */
  get waiting() {
    let waiting = 0
    for (const link of this.#links) waiting += link.waiting
    return waiting
  }
  /** All that came of the granule is on the lanes: its counts stand, and the next one may be opened. */
  close() {
    for (const link of this.#links) link.endGranule()
    for (let i = 0; i < this.#pending.length; i++) this.#counters[i] += this.#pending[i]
    this.#pending.fill(0)
    for (const owner of this.#failed) this.#settlement.fail(owner, 1)
    this.#failed.length = 0
    this.#granule = undefined
  }
  abortFragments(stamp) {
    return this.#links.every((link) => link.abortFragments(stamp))
  }
  get hasUncommitted() {
    for (const link of this.#links) if (link.hasUncommitted) return true
    return false
  }
  markResume() {
    for (const link of this.#links) link.markResume()
  }
  stage(journal) {
    for (const link of this.#links) link.stage(journal)
  }
  wakePeers() {
    for (const link of this.#links) link.wakePeers()
  }
  /** A record that no codec takes, or that is too large: the node that sent it gives it up. */
  #refuse = (origin, value, error) => {
    if (this.root.plan.kind !== 'source') this.root.count(DONE, -1)
    this.giveUp(this.root, value, origin, { error, attempts: this.#granule.attempt + 1, firstFailedAt: Date.now() })
  }
  #connect(node, linkOf) {
    const portsOf = (ports) => ports.map((port) => this.#port(node, port, linkOf))
    node.out = portsOf(node.plan.out)
    node.branches = new Map(node.plan.branches.map(({ when, ports }) => [when, portsOf(ports)]))
    node.error = portsOf(node.plan.error)
    node.deadLetter = portsOf(node.plan.deadLetter)
    node.retry = portsOf(node.plan.retry)
  }
  #port(from, port, linkOf) {
    if (port.link !== undefined) return new LinkPort(linkOf(port), this.#refuse)
    const node = this.#nodes[port.node]
    const run = this.#inline(node)
    const { counters } = from
    const records = port.counters + RECORDS
    return new InlinePort((value, origin) => {
      counters[records]++
      node.count(IN, 1)
      try {
        run(value, origin)
      } catch (error) {
        this.giveUp(node, value, origin, { error, attempts: 1, firstFailedAt: Date.now() })
      }
    })
  }
  /** What a node without a thread of its own does with a record. */
  #inline(node) {
    if (node.plan.kind === 'inject') {
      return (value, origin) => {
        const { node: to, record } = value
        this.emit(node, to, record, origin)
      }
    }
    if (node.plan.kind === 'conditional') {
      const route = this.#handlers.route(node.plan)
      return (value, origin) => {
        this.emit(node, route(value), value, origin)
        node.count(DONE, 1)
      }
    }
    const operation = node.plan.work === undefined ? undefined : this.#handlers.operation(node.plan)
    if (operation === undefined) {
      return (value, origin) => {
        this.send(node, value, origin)
        node.count(DONE, 1)
      }
    }
    return this.#fused(node, operation)
  }
  #fused(node, operation) {
    return (value, origin) => {
      const result = operation.call(value)
      if (isThenable(result)) throw new MillraceError('FUSED_HANDLER_ASYNC', { node: node.plan.node })
      const isFiltered = operation.work === 'filter' && result !== true
      if (operation.work === 'flatMap')
        for (const item of iterate(node.plan.node, result)) this.send(node, item, origin)
      else if (!isFiltered) this.send(node, operation.work === 'map' ? result : value, origin)
      node.count(isFiltered ? FILTERED : DONE, 1)
    }
  }
}
/** An edge to the lanes of a link. */
class LinkPort {
  #writer
  #refuse
  constructor(writer, refuse) {
    this.#writer = writer
    this.#refuse = refuse
  }
  send(value, origin) {
    try {
      this.#writer.add(value, origin)
    } catch (error) {
      // The next stage's `partitionBy` or `selector` threw.
      this.#refuse(origin, value, error)
    }
  }
  sendRun(values, from, to) {
    if (this.#writer.addRun(values, from, to)) return
    for (let i = from; i < to; i++) this.send(values[i], i)
  }
}
/** An edge to a node that this worker runs itself. */
class InlinePort {
  send
  constructor(send) {
    this.send = send
  }
  sendRun(values, from, to) {
    for (let i = from; i < to; i++) this.send(values[i], i)
  }
}
export function isThenable(value) {
  return typeof value === 'object' && value !== null && typeof value.then === 'function'
}
export function iterate(node, result) {
  if (typeof result === 'object' && result !== null && Symbol.iterator in result) return result
  throw new MillraceError('HANDLER_RESULT_INVALID', { node, result: typeof result })
}
/** What goes to an error or dead-letter edge. */
export function failureOf(node, input, { error, attempts, firstFailedAt }) {
  const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  const code = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined
  return {
    input,
    error: { name, message, stack, ...(typeof code === 'string' ? { code } : {}) },
    node,
    attempts,
    firstFailedAt,
    failedAt: Date.now(),
  }
}
/**
 * Links on which a record is the only one that came of its input: the first edge of each node that gives one for one, and
 * so on through conditionals. Copies to further edges get ids of their own.
 */
function linksThatKeepIds(stage) {
  const found = new Set()
  const visit = (node, work) => {
    if (work === 'flatMap' || work === 'mapBatch') return
    for (const ports of [
      node.out,
      ...node.branches.filter(() => node.kind === 'conditional').map(({ ports }) => ports),
    ]) {
      const port = ports[0]
      if (port?.link !== undefined) found.add(port.link)
      else if (port !== undefined) visit(stage.nodes[port.node], stage.nodes[port.node].work ?? 'map')
    }
  }
  if (stage.input?.batch === undefined) visit(stage.nodes[0], stage.work)
  return found
}
