import { resolveNode } from '../graph/resolve.ts'
import { NODE_KINDS, type GraphNode, type Technology } from '../graph/types.ts'
import type { PointedAt } from './bottleneck.ts'
import { heatColor, mixColors, readableOn, textOn } from './color.ts'
import type { NodeFigures } from './figures.ts'
import type { Highlighter } from './highlight.ts'
import type { DrawnLine, PictureNode } from './picture-parts.ts'
import type { RowPlace } from './rows.ts'
import { durationText, linesOf, numberText, rateText } from './text.ts'
import type { Theme } from './theme.ts'
import { membersOf } from './views/members.ts'

/** A node as it is drawn. */
export function nodeOf(
  node: GraphNode,
  {
    theme,
    lines,
    figures,
    heat,
    bottleneck,
    place,
    behind,
  }: {
    readonly theme: Theme
    readonly lines: Highlighter
    readonly figures: NodeFigures
    readonly heat: boolean
    readonly bottleneck: PointedAt | undefined
    readonly place: RowPlace | undefined
    readonly behind: string
  },
): PictureNode {
  const kind = NODE_KINDS.includes(node.kind) ? node.kind : 'transform'
  const load = heat ? figures.load(node) : undefined
  const fill = load === undefined ? (node.fillcolor ?? theme.colors[kind]) : heatColor(load)
  const details: DrawnLine[] = (theme.details ? detailsOf(node) : []).map((text) => ({ text, role: 'detail' }))
  const width = node.penwidth ?? theme.nodePenWidth
  const isBottleneck = bottleneck?.node !== undefined && membersOf(node).includes(bottleneck.node)
  const outline = lines.node(node, {
    color: isBottleneck ? textOn(behind) : (theme.nodeBorderColor ?? mixColors(fill, '#000000', 0.25)),
    width: isBottleneck ? width + RING_WIDTH : width,
  })
  const tooltip = node.description ?? `${kind} ${node.id}`
  return {
    id: node.id,
    kind,
    lines: [
      ...linesOf(node.label ?? node.id).map((text): DrawnLine => ({ text, role: 'name' })),
      ...details,
      ...figures.lines(node).map((text): DrawnLine => ({ text, role: 'figure' })),
      ...(isBottleneck ? [{ text: 'the bottleneck', role: 'figure' } as const] : []),
    ],
    shape: node.shape ?? theme.shapes[kind],
    fill,
    border: outline.color,
    font: node.fontcolor ?? readableOn(fill, theme.nodeFontColor ?? textOn(fill)),
    width: outline.width,
    style: node.style,
    image: node.image,
    tooltip: linesOf(isBottleneck ? `${tooltip}\n${bottleneck.sentence}` : tooltip).join('\n'),
    isBottleneck,
    place,
  }
}

/** What the outline of the bottleneck is wider, in points. */
const RING_WIDTH = 2

const TECHNOLOGY_NAMES: Readonly<Record<Technology, string>> = {
  nats: 'NATS JetStream',
  redis: 'Redis Streams',
  rabbitmq: 'RabbitMQ',
  postgres: 'PostgreSQL',
}

/** What a node declares, in short lines. */
function detailsOf(node: GraphNode): readonly string[] {
  const { rate, latencyMs, serviceRate, capacity, via } = node
  const { concurrency, whenFull, selectivity, limit } = resolveNode(node)
  const workers = concurrency === 1 ? '' : ` × ${concurrency}`
  const service = serviceRate === undefined ? latencyMs : undefined
  const work = [
    ...(service === undefined
      ? concurrency === 1
        ? []
        : [`${concurrency} workers`]
      : [durationText(service) + workers]),
    ...(serviceRate === undefined ? [] : [`serves ${rateText(serviceRate)}`]),
    ...(selectivity === 1 ? [] : [`${numberText(selectivity)} out per in`]),
  ]
  return [
    ...(rate === undefined ? [] : [rateText(rate)]),
    ...(limit === undefined ? [] : [`at most ${rateText(limit.perSecond)}${limit.keyed ? ' of each key' : ''}`]),
    ...(work.length === 0 ? [] : [work.join(' · ')]),
    ...(via === undefined ? [] : [TECHNOLOGY_NAMES[via.technology] ?? via.technology]),
    ...(capacity === undefined ? [] : [`holds ${numberText(capacity)}`]),
    ...(whenFull === 'block' ? [] : [whenFull === 'dropOldest' ? 'drops the oldest' : 'drops the newest']),
  ]
}
