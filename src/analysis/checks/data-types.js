import { quote } from '../problems.js'
import { edgeTitle } from './edges.js'
/**
 * Compares the names that edges give to what they carry. Buffers, merges and conditionals pass records on as they are, so
 * what leaves them must be among what arrives; and all normal edges into one node should carry the same.
 */
export function checkDataTypes(graph, report) {
  graph.nodes.forEach((node, number) => {
    const arriving = graph.in(number).filter((edge) => (graph.edge(edge).pathType ?? 'normal') === 'normal')
    const types = arriving.map((edge) => graph.edge(edge).dataType)
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
      const { dataType, pathType = 'normal' } = graph.edge(edge)
      if (dataType === undefined || pathType !== 'normal' || known.has(dataType)) continue
      const message = `${edgeTitle(graph.edge(edge))} carries ${quote(dataType)}, and ${quote(node.id)} gets ${[...known].map(quote).join(' and ')}.`
      report('DATA_TYPE_MISMATCH', message, { edge, option: 'dataType' })
    }
  })
}
