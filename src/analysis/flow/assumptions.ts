import { isStage, type ResolvedGraph } from '../../graph/resolve.ts'
import { quote } from '../problems.ts'
import { EDGE_TREATMENT, NODE_TREATMENT, type Treatment } from '../treatment.ts'
import type { Model } from './model.ts'

/** What a prediction had to assume, in sentences: of figures in the order of the graph, then of options that it does not model. */
export function assumptionsOf(model: Model): readonly string[] {
  return [...undeclared(model), ...unmodelled(model.graph)]
}

/** Names that one sentence lists. */
const MOST_NAMES = 3

function sentence(option: string, { is, text }: Treatment, places: readonly string[]): readonly string[] {
  if (is !== 'assumed' || places.length === 0) return []
  const more = places.length > MOST_NAMES ? ` and ${places.length - MOST_NAMES} more` : ''
  return [`\`${option}\` of ${places.slice(0, MOST_NAMES).join(', ')}${more}: ${text}.`]
}

/** Of each option that is given and not modelled: where, and what is taken for granted. */
function unmodelled(graph: ResolvedGraph): readonly string[] {
  const ofNodes = Object.entries(NODE_TREATMENT).flatMap(([option, treatment]) => {
    const given = graph.given.nodes.filter((node) => givenIn(node, option))
    return sentence(
      option,
      treatment,
      given.map(({ id }) => quote(id)),
    )
  })
  const ofEdges = Object.entries(EDGE_TREATMENT).flatMap(([option, treatment]) => {
    const given = graph.edges.map((index) => graph.given.edges[index]!).filter((each) => givenIn(each, option))
    return sentence(
      option,
      treatment,
      given.map(({ from, to }) => `${quote(from)} → ${quote(to)}`),
    )
  })
  return [...ofNodes, ...ofEdges]
}

/** Whether an option is there; of a nested one, in the option that holds it. */
function givenIn(entry: object, option: string): boolean {
  const found = option.split('.').reduce<unknown>((value, key) => {
    return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  }, entry)
  return found !== undefined && found !== false
}

function undeclared({ graph, shares }: Model): readonly string[] {
  return graph.nodes.flatMap((node, number) => {
    const { id, kind, rate, rateLimit, latencyMs, serviceRate, batch } = node
    const found: string[] = []
    if (graph.given.nodes[number]?.concurrency === 'cores') {
      found.push(`${quote(id)} has as many workers as there are cores: nobody says how many, so it counts with one.`)
    }
    if (kind === 'source' && rate === undefined && rateLimit === undefined) {
      found.push(`${quote(id)} declares no rate: it sends as fast as the graph lets it.`)
    }
    const isTimed = latencyMs !== undefined || serviceRate !== undefined || rateLimit !== undefined
    if (kind !== 'source' && isStage(kind) && !isTimed) {
      found.push(`${quote(id)} declares no \`latencyMs\`: it limits nothing.`)
    }
    if (batch !== undefined && kind !== 'source') {
      found.push(`${quote(id)} collects batches: what a window lets through behind it is an estimate.`)
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
