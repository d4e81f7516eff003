import { isStage, type ResolvedGraph } from '../../graph/resolve.ts'
import type { GraphData } from '../../graph/types.ts'
import { components } from '../components.ts'
import { elementaryCycles } from '../cycles.ts'
import { sharesOf } from '../flow/shares.ts'
import { traffic } from '../flow/traffic.ts'
import { isHop, VIA_WINDOW } from '../parts.ts'
import type { ReportProblem } from '../problems.ts'
import { quote } from '../problems.ts'
import { resolved } from '../resolved.ts'
import { loopEdges, walk } from '../structure.ts'
import { isNumber } from './handlers.ts'

/** Loops above this size are not checked for growth here. */
const MAX_LOOP = 1_000
/** Most names that a message lists. */
const MAX_NAMES = 12

/** The graph as a whole: what is reached, what loops, what never fills. */
export function checkShape(graph: GraphData, found: ResolvedGraph, report: ReportProblem): void {
  const sources = found.nodes.flatMap((node, number) => (node.kind === 'source' ? [number] : []))
  const sinks = found.nodes.flatMap((node, number) => (node.kind === 'sink' ? [number] : []))
  if (sources.length === 0) report('SOURCE_MISSING', `The graph ${quote(graph.name)} has no source.`)
  if (sinks.length === 0) report('SINK_MISSING', `The graph ${quote(graph.name)} has no sink.`)
  const fed = walk(found, sources, 'down')
  const led = walk(found, sinks, 'up')
  found.nodes.forEach(({ id, kind }, node) => {
    if (sources.length > 0 && !fed.has(node)) {
      report('NODE_UNREACHABLE', `The ${kind} ${quote(id)} is reached from no source.`, { node: id })
    }
    if (sinks.length > 0 && !led.has(node)) {
      report('DEAD_END', `From the ${kind} ${quote(id)} no sink is reached.`, { node: id })
    }
  })
  checkLoops(graph, found, report)
  checkResize(graph, found, report)
  checkRoom(found, sources, report)
}

/** Where a stage can be resized, its keys move; they cannot where they come back to it, or wait there for others. */
function checkResize(graph: GraphData, found: ResolvedGraph, report: ReportProblem): void {
  const keyed = found.nodes.flatMap((node, number) =>
    node.maxConcurrency !== undefined && node.dispatch === 'partition' ? [{ node, number }] : [],
  )
  if (keyed.length === 0) return
  const loops = loopEdges(graph)
  for (const { node, number } of keyed) {
    const isInLoop = found.out(number).some((edge) => loops.has(edge))
    if (!isInLoop && node.batch?.of === undefined) continue
    const why = isInLoop ? 'has keys and is part of a loop' : 'has `batch.of`'
    const option = found.given.nodes[number]!.scale === undefined ? 'maxConcurrency' : 'scale'
    report('RESIZE_IMPOSSIBLE', `The stage ${quote(node.id)} sets \`${option}\`, and ${why}.`, {
      node: node.id,
      option,
    })
  }
}

function checkLoops(graph: GraphData, found: ResolvedGraph, report: ReportProblem): void {
  const threadless: GraphData = {
    ...graph,
    edges: graph.edges.map((edge, index) => {
      const inside =
        found.from(index) !== -1 &&
        !isStage(found.node(found.from(index)).kind) &&
        !isStage(found.node(found.to(index)).kind)
      return inside ? edge : { from: '', to: '' }
    }),
  }
  const routes = resolved(threadless)
  const routeParts = components(routes)
  routeParts.members.forEach((members, index) => {
    if (!routeParts.isLoop(index)) return
    report('LOOP_WITHOUT_STAGE', `No thread moves the records of the loop ${names(routes, members)}.`, {
      node: routes.id(members[0] ?? 0),
    })
  })
  const parts = components(found)
  if (parts.members.some((members, index) => parts.isLoop(index) && members.length > MAX_LOOP)) return
  const shares = sharesOf(found)
  for (const members of traffic(found, (edge) => shares[edge]?.gain ?? 0).growing) {
    report('LOOP_GROWS', `The loop ${names(found, members)} sends back at least as many records as it takes.`, {
      node: found.id(members[0] ?? 0),
    })
  }
}

/** A loop in words: along one of its cycles. */
function names(graph: ResolvedGraph, members: readonly number[]): string {
  const inside = new Set(members)
  const within: ResolvedGraph = {
    ...graph,
    out: (node) => (inside.has(node) ? graph.out(node).filter((edge) => inside.has(graph.to(edge))) : []),
  }
  const [cycle = []] = elementaryCycles(within, 1).cycles
  const nodes = cycle.map((edge) => graph.id(graph.from(edge)))
  const shown = nodes.slice(0, MAX_NAMES).map(quote)
  return [...shown, nodes.length > MAX_NAMES ? '…' : quote(nodes[0])].join(' → ')
}

function checkRoom(graph: ResolvedGraph, sources: readonly number[], report: ReportProblem): void {
  const batching = graph.given.nodes.flatMap(({ batch }, node) =>
    // How many belong together is said by the records.
    isNumber(batch?.size) && batch?.of === undefined ? [node] : [],
  )
  const holding = graph.given.nodes.flatMap(({ kind, capacity }, node) =>
    kind === 'buffer' && isNumber(capacity) && !isHop(graph.node(node)) ? [node] : [],
  )
  if (batching.length === 0 && holding.length === 0) return
  const windows = sources.map((source) => {
    const { window, concurrency } = graph.node(source)
    return window * concurrency
  })
  // What reads a buffer with `via` begins a part, as a source does.
  const queued = graph.nodes.filter(isHop).map(({ via }) => Number(via['window'] ?? VIA_WINDOW))
  // What all sources together may have on its way bounds every batch; where that suffices no walk is needed.
  const total = [...windows, ...queued].reduce((sum, window) => sum + window, 0)
  // Where a record may become several, nothing is said: `simulate` reckons with it.
  const mayMultiply = graph.nodes.some(({ selectivity, flatMap, mapBatch, dispatch }) => {
    return selectivity > 1 || flatMap !== undefined || mapBatch !== undefined || dispatch === 'broadcast'
  })
  for (const node of sources.length === 0 || mayMultiply ? [] : holding) {
    const { id, capacity } = graph.node(node)
    if (capacity <= total) continue
    const message = `The buffer ${quote(id)} holds ${capacity} records, and at most ${total} are in flight at once.`
    report('CAPACITY_ABOVE_WINDOW', message, { node: id, option: 'capacity' })
  }
  for (const node of batching) {
    const { id, batch, selectivity } = graph.node(node)
    const size = batch?.size ?? 0
    if (selectivity > 1 || size <= total) continue
    const message = `A batch of ${quote(id)} holds ${size} records, and at most ${total} are in flight at once.`
    report('BATCH_ABOVE_WINDOW', message, { node: id, option: 'batch.size' })
  }
}
