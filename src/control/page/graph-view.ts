import type { GraphAnswer, Live } from '#src/control/index.js'
import { s, setText } from './dom.ts'
import { percent, rate, duration } from './format.ts'
import { place, type Placed } from './layout.ts'

const STAGE = { width: 176, height: 84 }
const SMALL = { width: 128, height: 52 }
const MARGIN = 14
/** Below this width the flow goes down, not right. */
const NARROW = 700
const SHARES = ['busy', 'blocked', 'limited', 'starved'] as const

interface NodeView {
  readonly element: SVGGElement
  update(live: Live): void
}

/** The graph, drawn once for a width, and brought up to date with every snapshot. */
export class GraphView {
  readonly #parent: HTMLElement
  readonly #graph: GraphAnswer
  readonly #select: (node: string) => void
  #nodes: NodeView[] = []
  #edges: ((live: Live) => void)[] = []
  #live: Live | undefined
  #selected: string | undefined
  #direction: 'right' | 'down' | undefined

  constructor(parent: HTMLElement, graph: GraphAnswer, select: (node: string) => void) {
    this.#parent = parent
    this.#graph = graph
    this.#select = select
    new ResizeObserver(() => this.#draw()).observe(parent)
    this.#draw()
  }

  show(live: Live): void {
    this.#live = live
    for (const node of this.#nodes) node.update(live)
    for (const update of this.#edges) update(live)
  }

  mark(selected: string | undefined): void {
    this.#selected = selected
    for (const { element } of this.#nodes) {
      element.setAttribute('aria-pressed', String(element.dataset['node'] === selected))
    }
  }

  #draw(): void {
    const direction = this.#parent.clientWidth < NARROW ? 'down' : 'right'
    if (direction === this.#direction) return
    this.#direction = direction
    const { nodes, edges } = this.#graph
    const numbers = new Map(nodes.map(({ id }, i) => [id, i]))
    const boxes = nodes.map(({ kind }) => (isStage(kind) ? STAGE : SMALL))
    const pairs = edges.map(({ from, to }) => [numbers.get(from) ?? 0, numbers.get(to) ?? 0] as const)
    const placed = place({ boxes, edges: pairs, direction })
    const svg = s('svg', {
      viewBox: `${-MARGIN} ${-MARGIN} ${placed.width + 2 * MARGIN} ${placed.height + 2 * MARGIN}`,
      role: 'group',
      'aria-label': 'Stages; choose one to see it below',
    })
    svg.style.maxWidth = `${placed.width + 2 * MARGIN}px`
    svg.style.minWidth = `${Math.min(placed.width + 2 * MARGIN, 0.62 * placed.width)}px`
    const lines = s('g', {})
    this.#edges = edges.map((_, i) => this.#edge(lines, placed, i, direction))
    this.#nodes = nodes.map((_, i) => this.#node(placed, i))
    svg.append(lines, ...this.#nodes.map(({ element }) => element))
    this.#parent.replaceChildren(svg)
    this.mark(this.#selected)
    if (this.#live !== undefined) this.show(this.#live)
  }

  #node(placed: Placed, index: number): NodeView {
    const { id, kind } = this.#graph.nodes[index]!
    const { x, y } = placed.nodes[index]!
    const box = isStage(kind) ? STAGE : SMALL
    const [left, top] = [x - box.width / 2, y - box.height / 2]
    const outline = s('rect', {
      class: 'outline',
      x: left,
      y: top,
      width: box.width,
      height: box.height,
      rx: isStage(kind) ? 10 : 18,
    })
    const name = s('text', { class: 'name', x: left + 12, y: top + 22 }, short(id, isStage(kind) ? 20 : 14))
    const title = s('title', {}, `${id} (${kind})`)
    const figure = s('text', { class: 'figure', x: left + 12, y: top + 41 })
    if (!isStage(kind)) return this.#passive({ id, kind, box, left, top, outline, name, title, figure })
    const detail = s('text', { class: 'detail', x: left + 12, y: top + 59 })
    const bars = SHARES.map((share) =>
      s('rect', { class: `share ${share}`, y: top + 67, height: 7, x: left + 12, width: 0 }),
    )
    const element = s(
      'g',
      {
        class: 'node stage-node',
        tabindex: 0,
        role: 'button',
        'data-node': id,
        click: () => this.#select(id),
        keydown: (event) => {
          const { key } = event as KeyboardEvent
          if (key !== 'Enter' && key !== ' ') return
          event.preventDefault()
          this.#select(id)
        },
      },
      title,
      outline,
      name,
      figure,
      detail,
      ...bars,
    )
    const whole = box.width - 24
    return {
      element,
      update: ({ stages, bottleneck }) => {
        const stage = stages.find(({ node }) => node === id)
        if (stage === undefined) return
        const { shares, workers } = stage
        setText(figure, `${rate(stage.in)}${workers.length > 1 ? ` · ${workers.length} workers` : ''}`)
        setText(
          detail,
          stage.p99Ms > 0
            ? `${percent(shares.busy)} busy · p99 ${duration(stage.p99Ms)}`
            : `${percent(shares.busy)} busy`,
        )
        element.classList.toggle('root', bottleneck.node === id)
        element.classList.toggle(
          'hurt',
          workers.some(({ state }) => state !== 'running' && state !== 'over' && state !== 'left'),
        )
        element.setAttribute('aria-label', `${id}, ${kind}, ${rate(stage.in)}, ${percent(shares.busy)} busy`)
        let at = left + 12
        SHARES.forEach((share, i) => {
          const width = whole * Math.min(1, shares[share])
          bars[i]!.setAttribute('x', String(at))
          bars[i]!.setAttribute('width', String(Math.max(0, Math.min(width, left + 12 + whole - at))))
          at += width
        })
      },
    }
  }

  /** Nodes without threads: how full a buffer is, and what comes through the others. */
  #passive(parts: {
    id: string
    kind: string
    box: { width: number; height: number }
    left: number
    top: number
    outline: SVGRectElement
    name: SVGTextElement
    title: SVGTitleElement
    figure: SVGTextElement
  }): NodeView {
    const { id, kind, box, left, top, outline, name, title, figure } = parts
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
    const edges = this.#graph.edges.map(({ from }, i) => (from === id ? i : -1)).filter((i) => i !== -1)
    return {
      element,
      update: (live) => {
        const behind = edges.map((i) => live.edges[i]!)
        const through = behind.reduce((sum, edge) => sum + edge.rate, 0)
        if (kind !== 'buffer') return setText(figure, rate(through))
        const [queued, capacity] = [
          behind.reduce((a, e) => a + e.queued, 0),
          behind.reduce((a, e) => a + e.capacity, 0),
        ]
        const fill = capacity === 0 ? 0 : Math.min(1, queued / capacity)
        setText(figure, `${percent(fill)} full`)
        level.style.clipPath = `inset(${100 * (1 - fill)}% 0 0 0)`
      },
    }
  }

  #edge(parent: SVGGElement, placed: Placed, index: number, direction: 'right' | 'down'): (live: Live) => void {
    const edge = this.#graph.edges[index]! as { from: string; to: string; pathType?: string; when?: string }
    const points = placed.edges[index]!
    const boxOf = (id: string): { width: number; height: number } =>
      isStage(this.#graph.nodes.find((node) => node.id === id)?.kind ?? '') ? STAGE : SMALL
    const path = s('path', {
      class: `edge ${edge.pathType ?? 'normal'}`,
      d: curve(points, boxOf(edge.from), boxOf(edge.to), direction),
    })
    const [a, b] = [points[points.length - 2]!, points[points.length - 1]!]
    const half = direction === 'right' ? boxOf(edge.from).width / 2 : boxOf(edge.from).height / 2
    const near = points.length === 2 ? half : 0
    const [dx, dy] =
      direction === 'right'
        ? [(b.x - a.x + near - boxOf(edge.to).width / 2) / 2, (b.y - a.y) / 2]
        : [(b.x - a.x) / 2, (b.y - a.y + near - boxOf(edge.to).height / 2) / 2]
    const beside = direction === 'right' ? { x: a.x + dx, y: a.y + dy - 7 } : { x: a.x + dx + 10, y: a.y + dy + 4 }
    const label = s('text', { class: `edge-label ${direction}`, ...beside })
    const title = s('title', {})
    path.append(title)
    parent.append(path, label)
    return (live) => {
      const most = Math.max(1, ...live.edges.map((each) => each.rate))
      const now = live.edges[index]!
      const fill = now.capacity === 0 ? 0 : now.queued / now.capacity
      path.style.strokeWidth = `${1.5 + 7 * Math.sqrt(now.rate / most)}px`
      path.classList.toggle('full', fill > 0.75)
      setText(label, now.rate > 0 ? rate(now.rate) : '')
      setText(
        title,
        `${edge.from} → ${edge.to}${edge.when === undefined ? '' : ` (${edge.when})`}: ${rate(now.rate)}, ${percent(Math.min(1, fill))} full`,
      )
    }
  }
}

function isStage(kind: string): boolean {
  return kind === 'source' || kind === 'transform' || kind === 'sink'
}

function short(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}

type Point = { readonly x: number; readonly y: number }

/** From the side of one box to the side of the other, level at both ends. */
function curve(
  points: readonly Point[],
  from: { width: number; height: number },
  to: { width: number; height: number },
  direction: 'right' | 'down',
): string {
  const right = direction === 'right'
  const [first, last] = [points[0]!, points[points.length - 1]!]
  const forth = right ? last.x >= first.x : last.y >= first.y
  const out = (right ? from.width : from.height) / 2
  const into = (right ? to.width : to.height) / 2
  const start = right ? { x: first.x + out, y: first.y } : { x: first.x, y: first.y + out }
  const end = right ? { x: last.x - into, y: last.y } : { x: last.x, y: last.y - into }
  const all = [start, ...points.slice(1, -1), end]
  const reach = forth ? 0 : 60
  return all
    .map((point, i) => {
      if (i === 0) return `M${point.x},${point.y}`
      const before = all[i - 1]!
      const bend = right
        ? Math.max(reach, Math.abs(point.x - before.x) / 2)
        : Math.max(reach, Math.abs(point.y - before.y) / 2)
      return right
        ? `C${before.x + bend},${before.y} ${point.x - bend},${point.y} ${point.x},${point.y}`
        : `C${before.x},${before.y + bend} ${point.x},${point.y - bend} ${point.x},${point.y}`
    })
    .join('')
}
