import type { GraphAnswer, Live } from '#src/control/index.js'
import { s, set, setText } from './dom.ts'
import { count, duration, percent, rate } from './format.ts'
import type { Box } from './flow.ts'
import { SHARES } from './shares.ts'
import { fitted, widthOf } from './text-width.ts'

const STAGE = { width: 176, height: 84 }
const SMALL = { width: 128, height: 52 }
/** No name makes its box wider than this; it loses its middle. */
const WIDEST = 232
const INSET = 12
const NAME_FONT = '620 14px'

export interface NodeView {
  readonly element: SVGGElement
  update(live: Live): void
}

export interface NodePlace {
  readonly box: Box
  readonly left: number
  readonly top: number
}

type GraphNode = GraphAnswer['nodes'][number]

/** How much room a node takes: as wide as its name needs. */
export function boxOf({ id, kind }: GraphNode): Box {
  const { width, height } = isStage(kind) ? STAGE : SMALL
  return { width: Math.min(WIDEST, Math.max(width, Math.ceil(widthOf(id, NAME_FONT)) + 2 * INSET)), height }
}

/** A node that threads run can be chosen; others only show what comes through. */
export function drawNode(
  graph: GraphAnswer,
  node: GraphNode,
  place: NodePlace,
  select: (node: string) => void,
): NodeView {
  return isStage(node.kind) ? stageNode(node, place, select) : passiveNode(graph, node, place)
}

function isStage(kind: string): boolean {
  return kind === 'source' || kind === 'transform' || kind === 'sink'
}

/** Outline, name and the first line of figures: what all nodes have. */
function frame({ id, kind }: GraphNode, { box, left, top }: NodePlace, rx: number) {
  return {
    title: s('title', {}, `${id} (${kind})`),
    outline: s('rect', { class: 'outline', x: left, y: top, width: box.width, height: box.height, rx }),
    name: s('text', { class: 'name', x: left + INSET, y: top + 22 }, fitted(id, box.width - 2 * INSET, NAME_FONT)),
    figure: s('text', { class: 'figure', x: left + INSET, y: top + 41 }),
  }
}

function stageNode(node: GraphNode, place: NodePlace, select: (node: string) => void): NodeView {
  const { id, kind } = node
  const { box, left, top } = place
  const { title, outline, name, figure } = frame(node, place, 10)
  const detail = s('text', { class: 'detail', x: left + INSET, y: top + 59 })
  const bars = SHARES.map((share) =>
    s('rect', { class: `share ${share}`, y: top + 67, height: 7, x: left + INSET, width: 0 }),
  )
  const keydown = (event: Event): void => {
    const { key } = event as KeyboardEvent
    if (key !== 'Enter' && key !== ' ') return
    event.preventDefault()
    select(id)
  }
  const element = s(
    'g',
    { class: 'node stage-node', tabindex: 0, role: 'button', 'data-node': id, click: () => select(id), keydown },
    title,
    outline,
    name,
    figure,
    detail,
    ...bars,
  )
  const whole = box.width - 2 * INSET
  return {
    element,
    update: ({ stages, bottleneck }) => {
      const stage = stages.find((each) => each.node === id)
      if (stage === undefined) return
      const { shares, workers } = stage
      setText(figure, `${rate(stage.inPerSecond)}${workers.length > 1 ? ` · ${workers.length} workers` : ''}`)
      const p99 = stage.p99Ms > 0 ? ` · p99 ${duration(stage.p99Ms)}` : ''
      setText(detail, `${percent(shares.busy)} busy${p99}`)
      element.classList.toggle('root', bottleneck.node === id)
      element.classList.toggle(
        'hurt',
        workers.some(({ state }) => state !== 'running' && state !== 'over' && state !== 'left'),
      )
      const isRoot = bottleneck.node === id ? ', the bottleneck' : ''
      set(element, 'aria-label', `${id}, ${kind}, ${rate(stage.inPerSecond)}, ${percent(shares.busy)} busy${isRoot}`)
      let at = left + INSET
      SHARES.forEach((share, i) => {
        const width = whole * Math.min(1, shares[share])
        set(bars[i]!, 'x', at.toFixed(1))
        set(bars[i]!, 'width', Math.max(0, Math.min(width, left + INSET + whole - at)).toFixed(1))
        at += width
      })
    },
  }
}

/** Nodes without threads: how full a buffer is, and what comes through the others. */
function passiveNode(graph: GraphAnswer, node: GraphNode, place: NodePlace): NodeView {
  const { id, kind } = node
  const { box, left, top } = place
  const { title, outline, name, figure } = frame(node, place, 18)
  const level = s('rect', { class: 'level', x: left, y: top, width: box.width, height: box.height, rx: 18 })
  const element = s(
    'g',
    { class: `node ${kind}`, 'data-node': id },
    title,
    outline,
    ...(kind === 'buffer' ? [level] : []),
    name,
    figure,
  )
  const behind = graph.edges.flatMap(({ from }, i) => (from === id ? [i] : []))
  return {
    element,
    update: ({ edges }) => {
      const sum = (key: 'recordsPerSecond' | 'queued' | 'capacity'): number =>
        behind.reduce((total, i) => total + edges[i]![key], 0)
      if (kind !== 'buffer') return setText(figure, rate(sum('recordsPerSecond')))
      const [queued, capacity] = [sum('queued'), sum('capacity')]
      const fill = capacity === 0 ? 0 : Math.min(1, queued / capacity)
      setText(figure, `${percent(fill)} · ${count(queued)}`)
      setText(
        title,
        `${id} (${kind}): ${count(queued)} of ${count(capacity)} records, ${rate(sum('recordsPerSecond'))} leave`,
      )
      level.style.clipPath = `inset(${(100 * (1 - fill)).toFixed(1)}% 0 0 0)`
    },
  }
}
