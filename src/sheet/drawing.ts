/** The graph as SVG: drawn again when what is shown changes, painted again when figures do. */
import type { Difference } from '../analysis/diff.ts'
import { rateText } from '../render/text.ts'
import { s } from '../page/dom.ts'
import { arrange, type Arranged, NODE_BOX } from './arrange.ts'
import type { Paint } from './data.ts'
import type { SheetFigures } from './figures.ts'
import type { ShownGraph, ShownNode } from './fold.ts'

interface DrawingEvents {
  select(node: string | undefined): void
  /** Folds a cluster, or opens it. */
  turn(cluster: string): void
}

/** What is marked: a node, and what lies above and below it. */
export interface Marks {
  readonly selected: string | undefined
  readonly above: ReadonlySet<string>
  readonly below: ReadonlySet<string>
  readonly found: ReadonlySet<string>
}

const MARGIN = 30
const LETTERS = 20

export class Drawing {
  readonly element: SVGSVGElement
  readonly size: { readonly width: number; readonly height: number }
  readonly #shown: ShownGraph
  readonly #nodes = new Map<
    string,
    { group: SVGGElement; outline: SVGRectElement; rate: SVGTextElement; figure: SVGTextElement }
  >()
  readonly #edges: { path: SVGPathElement; label: SVGTextElement }[] = []

  constructor(shown: ShownGraph, events: DrawingEvents, differences: readonly Difference[]) {
    const arranged = arrange(shown)
    this.#shown = shown
    this.size = { width: arranged.width + 2 * MARGIN, height: arranged.height + 2 * MARGIN }
    const changes = new Map(differences.flatMap(({ of, id, change }) => (of === 'node' ? [[id, change]] : [])))
    this.element = s(
      'svg',
      {
        viewBox: `${-MARGIN} ${-MARGIN} ${this.size.width} ${this.size.height}`,
        role: 'group',
        'aria-label': 'The graph',
      },
      arrowHead(),
      ...this.#clusters(arranged, events),
      ...this.#lines(arranged),
      ...shown.nodes.map((node) => this.#node(node, arranged, events, changes)),
    )
    this.element.addEventListener('click', () => events.select(undefined))
  }

  paint(figures: SheetFigures, paint: Paint, marks: Marks): void {
    for (const node of this.#shown.nodes) this.#paintNode(node, figures, paint, marks)
    const most = Math.max(1e-9, ...figures.edgeRates.filter(Number.isFinite))
    this.#shown.edges.forEach(({ from, to, members }, i) => {
      const { path, label } = this.#edges[i]!
      const rate = members.reduce((sum, index) => sum + figures.edgeRates[index]!, 0)
      path.style.strokeWidth = `${1.4 + 4 * Math.sqrt(Math.min(1, rate / most))}px`
      label.textContent = rate > 0 ? rateText(rate) : ''
      const [a, b] = [from, to].map((id) => this.#shown.nodes.find((node) => node.id === id)!)
      const isHeld = (node: ShownNode): boolean => node.members.some((id) => figures.held.has(id))
      const isRoot = b!.members.includes(figures.bottleneck ?? '')
      path.classList.toggle('held', isHeld(a!) && (isHeld(b!) || isRoot))
      const joins = (set: ReadonlySet<string>): boolean => [a, b].every((node) => isIn(node!, set, marks.selected))
      path.classList.toggle('dim', marks.selected !== undefined && !joins(marks.above) && !joins(marks.below))
    })
  }

  /** Where a node is drawn, be it in a folded cluster or not. */
  placeOf(id: string): SVGGElement | undefined {
    const node = this.#shown.nodes.find(({ members }) => members.includes(id))
    return node === undefined ? undefined : this.#nodes.get(node.id)?.group
  }

  #paintNode(node: ShownNode, figures: SheetFigures, paint: Paint, marks: Marks): void {
    const { group, outline, rate, figure } = this.#nodes.get(node.id)!
    const known = node.members.flatMap((id) => figures.paints[paint].get(id) ?? [])
    const worst = known.toSorted((a, b) => b.share - a.share)[0]
    outline.style.fill =
      worst === undefined ? '' : `color-mix(in oklab, var(--cool), var(--hot) ${Math.round(100 * worst.share)}%)`
    figure.textContent = worst?.text ?? ''
    rate.textContent =
      node.kind === 'cluster' ? `${node.members.length} nodes` : rateText(figures.rates.get(node.id) ?? 0)
    const isRoot = node.members.includes(figures.bottleneck ?? '')
    group.classList.toggle('bottleneck', isRoot)
    group.classList.toggle('held', !isRoot && node.members.some((id) => figures.held.has(id)))
    group.classList.toggle('selected', node.members.includes(marks.selected ?? ''))
    const [above, below] = [marks.above, marks.below].map((set) => node.members.some((id) => set.has(id)))
    group.classList.toggle('above', above)
    group.classList.toggle('below', below)
    group.classList.toggle(
      'found',
      node.members.some((id) => marks.found.has(id)),
    )
    group.classList.toggle(
      'dim',
      marks.selected !== undefined && !above && !below && !node.members.includes(marks.selected),
    )
    const words = [node.title, node.kind, rate.textContent, figure.textContent, isRoot ? 'the bottleneck' : '']
    const text = words.filter((word) => word !== '').join(', ')
    group.setAttribute('aria-label', text)
    group.querySelector('title')!.textContent = text
  }

  #node(
    node: ShownNode,
    { nodes }: Arranged,
    events: DrawingEvents,
    changes: ReadonlyMap<string, string>,
  ): SVGGElement {
    const { x, y } = nodes.get(node.id)!
    const [left, top] = [x - NODE_BOX.width / 2, y - NODE_BOX.height / 2]
    const outline = s('rect', { class: 'outline', x: left, y: top, ...NODE_BOX, rx: ROUND[node.kind] ?? 8 })
    const rate = s('text', { class: 'figure', x, y: top + 38 })
    const figure = s('text', { class: 'figure', x, y: top + 53 })
    const name = node.title.length > LETTERS ? `${node.title.slice(0, LETTERS - 1)}…` : node.title
    const act = (event: Event): void => {
      event.stopPropagation()
      if (node.kind === 'cluster') events.turn(node.id.replace(/^cluster /, ''))
      else events.select(node.id)
    }
    const keydown = (event: Event): void => {
      if ((event as KeyboardEvent).key === 'Enter') act(event)
    }
    const change = node.members.map((id) => changes.get(id)).find((each) => each !== undefined) ?? ''
    const group = s(
      'g',
      { class: `node ${node.kind} ${change}`, 'data-node': node.id, tabindex: 0, role: 'button', click: act, keydown },
      s('title', {}),
      s('rect', {
        class: 'ring',
        x: left - 5,
        y: top - 5,
        width: NODE_BOX.width + 10,
        height: NODE_BOX.height + 10,
        rx: 13,
      }),
      outline,
      s('text', { class: 'name', x, y: top + 21 }, name),
      rate,
      figure,
    )
    this.#nodes.set(node.id, { group, outline, rate, figure })
    return group
  }

  #lines({ edges }: Arranged): SVGGElement[] {
    return this.#shown.edges.map(({ pathType, title }, i) => {
      const { path: d, middle } = edges[i]!
      const path = s('path', { class: `edge ${pathType}`, d, 'marker-end': 'url(#arrow)' }, s('title', {}, title))
      const label = s('text', { class: 'edge-label', x: middle.x, y: middle.y })
      this.#edges.push({ path, label })
      return s('g', {}, path, label)
    })
  }

  #clusters({ clusters }: Arranged, events: DrawingEvents): SVGGElement[] {
    const framed = this.#shown.clusters.flatMap((cluster) => {
      const box = clusters.get(cluster.id)
      return box === undefined ? [] : [{ ...cluster, box }]
    })
    const largest = framed.toSorted((a, b) => b.box.width * b.box.height - a.box.width * a.box.height)
    return largest.map(({ id, title, box: { x, y, width, height } }) => {
      const [left, top] = [x - width / 2, y - height / 2]
      const turn = (event: Event): void => {
        event.stopPropagation()
        events.turn(id)
      }
      return s(
        'g',
        { class: 'cluster', 'data-cluster': id },
        s('rect', { x: left, y: top, width, height, rx: 12 }),
        s('text', { x: left + 12, y: top + 19, tabindex: 0, role: 'button', click: turn }, `▾ ${title}`),
      )
    })
  }
}

/** Kinds differ in their corners: what begins and ends a graph, what holds records, and what works on them. */
const ROUND: Readonly<Record<string, number>> = {
  source: 31,
  sink: 31,
  buffer: 20,
  conditional: 2,
  merge: 2,
  cluster: 12,
}

function isIn({ members }: ShownNode, set: ReadonlySet<string>, selected: string | undefined): boolean {
  return members.some((id) => set.has(id) || id === selected)
}

function arrowHead(): SVGElement {
  const head = s('path', { d: 'M0,0L8,4L0,8z', fill: 'context-stroke' })
  return s(
    'defs',
    {},
    s(
      'marker',
      {
        id: 'arrow',
        viewBox: '0 0 8 8',
        refX: 7,
        refY: 4,
        markerWidth: 9,
        markerHeight: 9,
        markerUnits: 'userSpaceOnUse',
        orient: 'auto',
      },
      head,
    ),
  )
}
