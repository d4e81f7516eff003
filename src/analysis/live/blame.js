import { components } from '../components.js'
import { isStage } from '../loops/lanes.js'
import { walk } from '../structure.js'
import { measuredOf } from './measured.js'
/** A wait below this share of the time is noise. */
const HARDLY = 0.05
/** A stage that is busy for so much of its time has no more to give. */
const FULL = 0.9
/**
 * Finds the stage that holds the others up: from the stage that is blocked most, along the edge on which it waits most, to
 * the first stage that is not itself blocked more than busy, and on to the last stage below it that is full. Where nobody is
 * blocked, the busiest stage is where it begins.
 * Cost: linear in nodes and edges.
 */
export function blame(graph, measurements) {
  const measured = measuredOf(graph, measurements)
  const waits = waitsOf(measured)
  const stages = graph.nodes.flatMap(({ id }, node) => {
    const counts = measured.node(node)
    return counts === undefined ? [] : [stateOf(id, counts)]
  })
  const chain = chainOf(measured, waits)
  const end = chain.at(-1)?.waitsFor ?? busiest(stages)
  return { root: end === undefined ? undefined : lastFull(measured, end), chain, stages, waits }
}
function stateOf(node, { busy, starved, blocked, limited }) {
  const shares = { busy, starved, blocked, limited }
  const order = ['busy', 'blocked', 'limited', 'starved']
  const mostly = order.reduce((most, name) => (shares[name] > shares[most] ? name : most))
  return { node, ...shares, mostly }
}
function waitsOf(measured) {
  const { graph } = measured
  return graph.edges
    .flatMap((edge) => {
      const share = measured.edge(edge).blockedShare
      if (share < HARDLY || !isStage(graph.node(graph.from(edge)).kind)) return []
      return [{ node: graph.id(graph.from(edge)), waitsFor: nextStage(measured, edge), edge, share }]
    })
    .sort((a, b) => b.share - a.share)
}
/** The stage that reads the lane: through nodes without threads, the way on which most records wait. */
function nextStage({ graph, edge }, first) {
  let node = graph.to(first)
  for (const seen = new Set(); !isStage(graph.node(node).kind) && !seen.has(node);) {
    seen.add(node)
    const fullest = graph
      .out(node)
      .reduce((most, next) => (fill(edge(next)) > fill(edge(most)) ? next : most), graph.out(node)[0] ?? -1)
    if (fullest === -1) break
    node = graph.to(fullest)
  }
  return graph.id(node)
}
function fill({ queued, capacity }) {
  return capacity === 0 ? 0 : queued / capacity
}
function chainOf({ graph, node }, waits) {
  const chain = []
  const seen = new Set()
  for (let next = waits[0]; next !== undefined;) {
    chain.push(next)
    seen.add(next.node)
    const at = next.waitsFor
    const counts = node(graph.number(at))
    const heldUp = counts !== undefined && counts.blocked > Math.max(HARDLY, counts.busy, counts.limited)
    next = heldUp && !seen.has(at) ? waits.find((wait) => wait.node === at) : undefined
  }
  return chain
}
/**
 * While a buffer still fills, a stage before it may be full as well as one behind it: what comes out is limited by the last
 * one on the way.
 */
function lastFull({ graph, node }, from) {
  const parts = components(graph)
  const below = [...walk(graph, [graph.number(from)], 'down')]
  const full = below.filter((each) => (node(each)?.busy ?? 0) >= FULL)
  const last = full.reduce((best, each) => (parts.of(each) > parts.of(best) ? each : best), graph.number(from))
  return graph.id(last)
}
function busiest(stages) {
  const most = stages.reduce((best, stage) => {
    return best === undefined || stage.busy + stage.limited > best.busy + best.limited ? stage : best
  }, undefined)
  return most?.node
}
