import { isStage } from '../loops/workers.ts'
import type { Model } from './model.ts'
import { quote } from '../problems.ts'

/** What a prediction had to assume, in sentences, in the order of the graph. */
export function assumptionsOf({ graph, shares }: Model): readonly string[] {
  return graph.nodes.flatMap((node, number) => {
    const { id, kind, rate, rateLimit, latencyMs, serviceRate } = node
    const found: string[] = []
    if (kind === 'source' && rate === undefined && rateLimit === undefined) {
      found.push(`${quote(id)} declares no rate: it sends as fast as the graph lets it.`)
    }
    if (kind !== 'source' && isStage(kind) && latencyMs === undefined && serviceRate === undefined) {
      found.push(`${quote(id)} declares no \`latencyMs\`: it limits nothing.`)
    }
    const open = graph.out(number).filter((edge) => shares[edge]?.assumed === true)
    const branches = open.filter((edge) => shares[edge]?.carries === 'branch')
    const failures = open.filter((edge) => shares[edge]?.carries === 'failure')
    if (branches.length > 0 && kind === 'conditional' && graph.out(number).length > 1) {
      found.push(
        `${quote(id)} declares no \`ratio\` for ${branches.length} of its branches: they share evenly what is left.`,
      )
    } else if (branches.length > 0 && kind !== 'conditional') {
      const share = (shares[branches[0] ?? -1]?.gain ?? 0) > 0 ? 'share evenly what is left' : 'carry nothing'
      found.push(`${quote(id)} declares no \`ratio\` for the branches that it emits to: they ${share}.`)
    }
    if (failures.length > 0) {
      found.push(`${quote(id)} declares no \`ratio\` for its error, retry or dead-letter edges: nothing fails.`)
    }
    return found
  })
}
