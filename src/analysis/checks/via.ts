import type { ResolvedGraph } from '../../graph/resolve.ts'
import type { GraphData, GraphNode, Via } from '../../graph/types.ts'
import { type OptionTable, resolve, VIA_OPTIONS } from '../../options/index.ts'
import { components } from '../components.ts'
import { readerOf, writerOf } from '../divide.ts'
import { isHop, graphParts, type GraphPart } from '../parts.ts'
import { quote, type ReportProblem } from '../problems.ts'
import { checkOptions } from './options.ts'

type HopNode = GraphNode & { readonly via: Via }

/** What a broker may need of an option. */
interface ViaSpec {
  readonly table: OptionTable
  readonly required: readonly string[]
  readonly queue: readonly string[]
  readonly redelivery?: string
}

/** Buffers with `via`: their addresses, what stands beside them, and the parts between them. */
export function checkVia(graph: GraphData, found: ResolvedGraph, report: ReportProblem): void {
  const hops = graph.nodes.filter(isHop)
  if (hops.length === 0) return
  for (const hop of hops) checkAddress(hop, report)
  checkQueues(hops, report)
  checkBeside(graph, found, hops, report)
  checkParts(graphParts(graph), hops, report)
}

function checkAddress({ id, via }: HopNode, report: ReportProblem): void {
  const { technology, ...given } = via
  const { table, required, redelivery }: ViaSpec = VIA_OPTIONS[technology]
  const title = `Node ${quote(id)}`
  const wrong = checkOptions({ given, table, place: { node: id }, title, prefix: 'via.' }, report)
  for (const option of required) {
    if (wrong.includes(option) || (given[option] !== undefined && given[option] !== '')) continue
    const place = { node: id, option: `via.${option}` }
    report('VIA_OPTION_MISSING', `${title}: \`via\` must have ${quote(option)}.`, place)
  }
  if (wrong.length > 0 || redelivery === undefined) return
  const filled: Readonly<Record<string, unknown>> = resolve(table, given)
  const [dedupeMs, againMs] = [Number(filled['dedupeMs']), Number(filled[redelivery])]
  if (dedupeMs >= 2 * againMs) return
  const message = `${title}: ids are known for ${dedupeMs} ms, and messages come again after ${againMs} ms.`
  report('VIA_DEDUPE_SHORT', message, { node: id, option: 'via.dedupeMs' })
}

function checkQueues(hops: readonly HopNode[], report: ReportProblem): void {
  const owners = new Map<string, string>()
  for (const { id, via } of hops) {
    const { table, queue }: ViaSpec = VIA_OPTIONS[via.technology]
    const place = JSON.stringify([via.technology, ...queue.map((option) => via[option] ?? table[option]?.default)])
    const owner = owners.get(place)
    if (owner === undefined) owners.set(place, id)
    else
      report('VIA_QUEUE_SHARED', `The buffers ${quote(owner)} and ${quote(id)} have the same queue.`, {
        node: id,
        option: 'via',
      })
  }
}

/** What only lanes have, and what stands where the two ends are to be. */
function checkBeside(graph: GraphData, found: ResolvedGraph, hops: readonly HopNode[], report: ReportProblem): void {
  const ids = new Set(hops.map(({ id }) => id))
  for (const { id, whenFull } of hops) {
    if (whenFull !== undefined && whenFull !== 'block')
      report('VIA_OPTION_UNUSED', `Node ${quote(id)} has \`via\`: a full queue of a broker drops nothing.`, {
        node: id,
        option: 'whenFull',
      })
    for (const end of [writerOf(id), readerOf(id)])
      if (found.number(end) !== -1)
        report('NODE_ID_DUPLICATE', `The id ${quote(end)} is that of an end of the buffer ${quote(id)}.`, { node: end })
  }
  for (const { id } of hops) {
    const edges = graph.edges.filter(({ from }) => from === id)
    if (edges.length === 0 || edges.some(({ pathType }) => pathType !== 'dead_letter')) continue
    const message = `All edges from the buffer ${quote(id)} are for dead letters: with \`via\`, they take messages that are no records.`
    report('VIA_OPTION_UNUSED', message, { edge: graph.edges.indexOf(edges[0]!), option: 'pathType' })
  }
  graph.edges.forEach(({ from, to }, edge) => {
    if (ids.has(from) && ids.has(to))
      report('VIA_BUFFERS_JOINED', `Edge ${quote(from)} → ${quote(to)} joins two buffers with \`via\`.`, { edge })
  })
}

function checkParts(parts: readonly GraphPart[], hops: readonly HopNode[], report: ReportProblem): void {
  for (const { id } of hops) {
    const both = parts.find(({ reads, writes }) => reads.includes(id) && writes.includes(id))
    if (both === undefined) continue
    report('VIA_WITHOUT_PARTS', `Both sides of the buffer ${quote(id)} are the part ${quote(both.name)}.`, {
      node: id,
      option: 'via',
    })
  }
  const links = parts.flatMap(({ writes }, from) =>
    parts.flatMap(({ reads }, to) => (from !== to && writes.some((id) => reads.includes(id)) ? [{ from, to }] : [])),
  )
  const out = parts.map((_, part) => links.flatMap(({ from }, link) => (from === part ? [link] : [])))
  const loops = components({ nodes: parts, out: (part) => out[part]!, to: (link) => links[link]!.to })
  loops.members.forEach((members, index) => {
    if (!loops.isLoop(index)) return
    const names = members.map((part) => quote(parts[part]!.name)).join(', ')
    const hop = hops.find(({ id }) => members.some((part) => parts[part]!.reads.includes(id)))
    report('PARTS_LOOP', `The parts ${names} send records to each other in a loop.`, hop && { node: hop.id })
  })
}
