import { isStage, type ResolvedEdge, type ResolvedGraph, type ResolvedNode } from '../../graph/resolve.ts'
import type { GraphEdge } from '../../graph/types.ts'
import { type Branch, branchesOf, failuresOf, isFailureEdge } from '../flow/shares.ts'
import { nearest } from '../nearest.ts'
import type { ReportProblem } from '../problems.ts'
import { quote } from '../problems.ts'
import { isNumber } from './handlers.ts'

/** Sums of ratios may be off by so much: they are written in decimals. */
const RATIO_TOLERANCE = 1e-9

/** Every edge by itself: its ends, loops to the same node, branches that nothing names. */
export function checkEdges(graph: ResolvedGraph, report: ReportProblem): void {
  const seen = new Set<string>()
  const ids = graph.nodes.map(({ id }) => id)
  graph.allEdges.forEach((edge, index) => {
    const title = edgeTitle(edge)
    for (const [end, id] of [
      ['from', edge.from],
      ['to', edge.to],
    ] as const) {
      // What is no text was reported with the entry.
      if (id === '' || graph.number(id) !== -1) continue
      const near = nearest(id, ids)
      const fix = near === undefined ? undefined : `Did you mean ${quote(near)}?`
      report('EDGE_NODE_UNKNOWN', `${title}: ${quote(id)} is no node.`, { edge: index, option: end }, fix)
    }
    const from = graph.from(index)
    const to = graph.to(index)
    if (from === -1 || to === -1) return
    if (graph.node(to).kind === 'source') report('EDGE_INTO_SOURCE', `${title} leads into a source.`, { edge: index })
    checkWhen(graph.node(from), edge, index, report)
    if (from === to) checkSelfLoop(graph.node(from), edge, index, report)
    const key = JSON.stringify([edge.from, edge.to, edge.pathType, edge.when])
    if (seen.has(key)) report('EDGE_DUPLICATE', `${title} is there twice.`, { edge: index })
    seen.add(key)
  })
}

function checkWhen(node: ResolvedNode, edge: ResolvedEdge, index: number, report: ReportProblem): void {
  const namesBranches = node.kind === 'conditional' || node.kind === 'transform' || node.kind === 'sink'
  if (edge.when !== undefined && !namesBranches) {
    const message = `${edgeTitle(edge)} waits for the branch ${quote(edge.when)}, which a ${node.kind} does not name.`
    report('WHEN_UNUSED', message, { edge: index, option: 'when' })
  }
  if (node.kind === 'source' && isFailureEdge(node, edge)) {
    report('FAILURE_PATH_UNUSED', `${edgeTitle(edge)}: a source has no ${edge.pathType} path.`, { edge: index })
  }
}

function checkSelfLoop(node: ResolvedNode, edge: ResolvedEdge, index: number, report: ReportProblem): void {
  if (edge.pathType === 'retry' || !isStage(node.kind)) return
  const place = { node: node.id, edge: index }
  if (edge.when !== undefined) {
    report('SELF_LOOP', `Node ${quote(node.id)} sends the branch ${quote(edge.when)} to itself.`, place)
  } else if (isFailureEdge(node, edge)) {
    report('SELF_LOOP_ENDLESS', `Node ${quote(node.id)} gets its own failures, as failures and not as records.`, place)
  } else if (node.selectivity >= 1) {
    report('SELF_LOOP_ENDLESS', `Node ${quote(node.id)} sends all its results to itself.`, place)
  }
}

/** The ratios of the edges that leave one node, against each other. */
export function checkRatios(graph: ResolvedGraph, report: ReportProblem): void {
  graph.nodes.forEach((node, number) => {
    const edges = graph.out(number)
    const failures = failuresOf(node, edges, graph)
    const others = edges.filter((edge) => !isFailureEdge(node, graph.edge(edge)))
    const failed = sum(failures.filter(({ isTaken }) => isTaken).map(({ ratio }) => ratio))
    checkDisagreement(graph, failures, report)
    if (node.kind === 'conditional') {
      checkBranches(graph, node, others, { failed, complete: failures.every(({ ratio }) => isNumber(ratio)) }, report)
    } else {
      if (failed > 1 + RATIO_TOLERANCE) {
        report('RATIO_SUM', `The failures of ${quote(node.id)} add up to ${failed}, above 1.`, {
          node: node.id,
          option: 'ratio',
        })
      }
      checkDisagreement(
        graph,
        branchesOf(
          node,
          others.filter((edge) => graph.edge(edge).when !== undefined),
          graph,
        ),
        report,
      )
      for (const edge of others) {
        const { when, ratio } = graph.edge(edge)
        if (when !== undefined || !isNumber(ratio) || ratio === 1) continue
        const message = `${edgeTitle(graph.edge(edge))} declares the ratio ${ratio}, and every record of ${quote(node.id)} takes it.`
        report('RATIO_UNUSED', message, { edge, option: 'ratio' })
      }
    }
  })
}

function checkBranches(
  graph: ResolvedGraph,
  node: ResolvedNode,
  edges: readonly number[],
  failures: { readonly failed: number; readonly complete: boolean },
  report: ReportProblem,
): void {
  const place = { node: node.id, option: 'ratio' }
  const unnamed = edges.filter((edge) => graph.edge(edge).when === undefined)
  if (node.route === undefined && unnamed.length === edges.length) {
    if (edges.length > 1) {
      report('CONDITIONAL_WITHOUT_WHEN', `No edge of ${quote(node.id)} says which branch it is for.`, { node: node.id })
    }
  } else {
    for (const edge of unnamed) {
      report('WHEN_MISSING', `${edgeTitle(graph.edge(edge))} has no \`when\`, so no record takes it.`, {
        edge,
        option: 'when',
      })
    }
  }
  const branches = branchesOf(node, edges, graph)
  checkDisagreement(graph, branches, report)
  const total = sum(branches.map(({ ratio }) => ratio)) + failures.failed
  const complete = branches.length > 0 && branches.every(({ ratio }) => isNumber(ratio)) && failures.complete
  if (total > 1 + RATIO_TOLERANCE || (complete && total < 1 - RATIO_TOLERANCE)) {
    report('RATIO_SUM', `The branches of ${quote(node.id)} add up to ${total}, not to 1.`, place)
  }
}

function checkDisagreement(graph: ResolvedGraph, branches: readonly Branch[], report: ReportProblem): void {
  for (const { edges, ratio } of branches) {
    for (const edge of edges) {
      const other = graph.edge(edge).ratio
      if (other === undefined || other === ratio) continue
      const message = `${edgeTitle(graph.edge(edge))} declares the ratio ${other}, another edge that carries the same records ${ratio}.`
      report('RATIOS_DISAGREE', message, { edge, option: 'ratio' })
    }
  }
}

/** Edges that never carry anything, though nothing about them is wrong by itself. */
export function checkUnused(graph: ResolvedGraph, anyHandlers: boolean, report: ReportProblem): void {
  graph.nodes.forEach((node, number) => {
    const edges = graph.out(number)
    const failures = edges.filter((edge) => isFailureEdge(node, graph.edge(edge)))
    if (failures.length === 0 || node.kind === 'source') return
    const hasErrorEdge = failures.some((edge) => graph.edge(edge).pathType === 'error')
    const triesOnce = anyHandlers && node.kind !== 'conditional' && node.retry.maxAttempts <= 1
    for (const edge of failures) {
      const title = edgeTitle(graph.edge(edge))
      const { pathType } = graph.edge(edge)
      if (pathType === 'dead_letter' && hasErrorEdge) {
        report('DEAD_LETTER_UNUSED', `${title}: the error edge of ${quote(node.id)} takes its failures.`, { edge })
      }
      if (pathType !== 'retry') continue
      if (node.kind === 'conditional') {
        report('RETRY_UNUSED', `${title} has no \`when\`, and a conditional tries nothing again.`, { edge })
      } else if (triesOnce) {
        report('RETRY_UNUSED', `${title}: ${quote(node.id)} calls its handler once for each record.`, { edge })
      }
    }
    if (node.kind === 'transform' && failures.length === edges.length) {
      report('RESULTS_UNUSED', `All edges out of ${quote(node.id)} are for its failures.`, { node: node.id })
    }
  })
}

export function edgeTitle({ from, to }: GraphEdge): string {
  return `Edge ${quote(from)} → ${quote(to)}`
}

function sum(ratios: readonly (number | undefined)[]): number {
  return ratios.reduce<number>((total, ratio) => total + (isNumber(ratio) ? ratio : 0), 0)
}
