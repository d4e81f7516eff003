import type { ResolvedGraph } from '../../graph/resolve.ts'
import type { GraphEdge } from '../../graph/types.ts'
import type { ReportProblem } from '../problems.ts'
import { quote } from '../problems.ts'
import { edgeTitle } from './edges.ts'

/** A name as types have it: `Order`, `Reading[]`, `Map<string, Row>`, `number`. Words like "raw row" cannot be compared. */
const TYPE_NAME = /^(?:[A-Z][\w$]*|string|number|boolean|bigint)(?:<.+>)?(?:\[\])*$/

/**
 * Compares the types that edges say they carry. Buffers, merges and conditionals pass records on as they are, so
 * what leaves them must be among what arrives; and all normal edges into one node should carry the same.
 */
export function checkDataTypes(graph: ResolvedGraph, report: ReportProblem): void {
  graph.nodes.forEach((node, number) => {
    const arriving = graph.in(number).filter((edge) => graph.edge(edge).pathType === 'normal')
    const types = arriving.map((edge) => typeOf(graph.edge(edge)))
    const known = new Set(types.filter((type) => type !== undefined))
    if (known.size === 0) return
    const passesOn = node.kind === 'buffer' || node.kind === 'merge' || node.kind === 'conditional'
    if (!passesOn) {
      if (known.size === 1) return
      const message = `Node ${quote(node.id)} gets ${[...known].map(quote).join(' and ')}.`
      report('DATA_TYPE_MISMATCH', message, { node: node.id })
      return
    }
    if (types.includes(undefined)) return
    for (const edge of graph.out(number)) {
      const { pathType } = graph.edge(edge)
      const dataType = typeOf(graph.edge(edge))
      if (dataType === undefined || pathType !== 'normal' || known.has(dataType)) continue
      const message = `${edgeTitle(graph.edge(edge))} carries ${quote(dataType)}, and ${quote(node.id)} gets ${[...known].map(quote).join(' and ')}.`
      report('DATA_TYPE_MISMATCH', message, { edge, option: 'dataType' })
    }
  })
}

function typeOf({ dataType }: GraphEdge): string | undefined {
  return dataType !== undefined && TYPE_NAME.test(dataType) ? dataType : undefined
}
