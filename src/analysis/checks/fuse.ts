import { isStage, type ResolvedGraph } from '../../graph/resolve.ts'
import type { ReportProblem } from '../problems.ts'
import { quote } from '../problems.ts'
import { edgeTitle } from './edges.ts'

/** A fused edge has no lane: both nodes run in one worker, one after the other. */
export function checkFuse(graph: ResolvedGraph, report: ReportProblem): void {
  for (const edge of graph.edges) {
    if (!graph.edge(edge).fuse) continue
    for (const reason of obstacles(graph, edge)) {
      report('FUSE_NOT_POSSIBLE', `${edgeTitle(graph.edge(edge))} cannot be fused: ${reason}.`, {
        edge,
        option: 'fuse',
      })
    }
  }
}

function obstacles(graph: ResolvedGraph, edge: number): string[] {
  const from = graph.node(graph.from(edge))
  const to = graph.node(graph.to(edge))
  const { pathType, when } = graph.edge(edge)
  if (from.id === to.id) return ['it leads back to its own node']
  if (!isStage(from.kind) || !isStage(to.kind) || to.kind === 'source') {
    return [`a ${from.kind} and a ${to.kind} do not share workers, only stages do`]
  }
  const found: string[] = []
  const check = (stands: boolean, reason: string): void => {
    if (stands) found.push(reason)
  }
  check(pathType !== 'normal' || when !== undefined, 'only a normal edge without `when` can be')
  check(graph.in(graph.to(edge)).length > 1, `${quote(to.id)} has other inputs`)
  const plain = graph.out(graph.from(edge)).filter((other) => {
    const { pathType: path, when: branch } = graph.edge(other)
    return path === 'normal' && branch === undefined
  })
  check(plain.length > 1, `${quote(from.id)} has other outputs`)
  check(from.concurrency !== to.concurrency, `${quote(from.id)} and ${quote(to.id)} have different \`concurrency\``)
  const apart = [
    'partitionBy',
    'dispatch',
    'batch',
    'resourceLimits',
    'restart',
    'maxConcurrency',
    'scale',
    'rateLimit',
    'preload',
  ] as const
  for (const option of apart)
    check(graph.given.nodes[graph.to(edge)]![option] !== undefined, `${quote(to.id)} has \`${option}\``)
  return found
}
