import type { GraphAnswer, Live } from '#src/control/index.js'
import { s, setText } from './dom.ts'
import { drawClusters, flowOf } from './graph-cluster.ts'
import { type Direction, drawEdge } from './graph-edge.ts'
import { drawNode, type NodeView } from './graph-node.ts'
import { place } from './layout.ts'

const MARGIN = 14
/** Below this width the flow goes down, not right. */
const NARROW = 700
/** Smaller than so, texts cannot be read: the graph is scrolled instead. */
const SMALLEST: Readonly<Record<Direction, number>> = { right: 0.75, down: 0.66 }

/** The graph, drawn once for a width, and brought up to date with every snapshot. */
export class GraphView {
  readonly #parent: HTMLElement
  readonly #whole: HTMLButtonElement
  readonly #graph: GraphAnswer
  readonly #select: (node: string) => void
  #nodes: NodeView[] = []
  #edges: ((live: Live) => void)[] = []
  #live: Live | undefined
  #selected: string | undefined
  #lit: { readonly nodes: ReadonlySet<string>; readonly edges: ReadonlySet<number> } | undefined
  #direction: Direction | undefined

  /** @param whole the button that makes a graph that is too large for its place small enough to be seen at once */
  constructor(parent: HTMLElement, whole: HTMLButtonElement, graph: GraphAnswer, select: (node: string) => void) {
    this.#parent = parent
    this.#whole = whole
    this.#graph = graph
    this.#select = select
    whole.onclick = () => this.#showWhole(whole.getAttribute('aria-pressed') !== 'true')
    this.#showWhole(false)
    new ResizeObserver(() => this.#draw()).observe(parent)
    this.#draw()
  }

  show(live: Live): void {
    this.#live = live
    for (const node of this.#nodes) node.update(live)
    for (const update of this.#edges) update(live)
  }

  /** Lights a way through the graph, and dims the rest; nothing is lit where none is given. */
  light(lit: { readonly nodes: ReadonlySet<string>; readonly edges: ReadonlySet<number> } | undefined): void {
    this.#lit = lit
    this.#parent.classList.toggle('lighting', lit !== undefined)
    for (const { element } of this.#nodes)
      element.classList.toggle('lit', lit?.nodes.has(element.dataset['node']!) === true)
    for (const path of this.#parent.querySelectorAll<SVGPathElement>('[data-edge]'))
      path.classList.toggle('lit', lit?.edges.has(Number(path.dataset['edge'])) === true)
  }

  /** Writes texts beside the nodes and on the edges, in place of live figures. */
  tell(nodes: ReadonlyMap<string, string>, edges: ReadonlyMap<number, string>): void {
    for (const { element } of this.#nodes) {
      const figure = element.querySelector('.figure')
      if (figure !== null) setText(figure, nodes.get(element.dataset['node']!) ?? '')
    }
    for (const path of this.#parent.querySelectorAll<SVGPathElement>('[data-edge]'))
      if (path.nextElementSibling !== null)
        setText(path.nextElementSibling, edges.get(Number(path.dataset['edge'])) ?? '')
  }

  mark(selected: string | undefined): void {
    this.#selected = selected
    for (const { element } of this.#nodes) {
      const isSelected = element.dataset['node'] === selected
      element.setAttribute('aria-pressed', String(isSelected))
      if (isSelected) this.#reveal(element)
    }
  }

  #showWhole(isWhole: boolean): void {
    this.#whole.setAttribute('aria-pressed', String(isWhole))
    this.#parent.classList.toggle('whole', isWhole)
    if (!isWhole) this.mark(this.#selected)
  }

  /** Scrolls the graph, not the page, so that a node is in sight. */
  #reveal(element: Element): void {
    const [node, frame] = [element.getBoundingClientRect(), this.#parent.getBoundingClientRect()]
    const isSeen =
      node.left >= frame.left && node.right <= frame.right && node.top >= frame.top && node.bottom <= frame.bottom
    if (isSeen) return
    this.#parent.scrollBy({
      left: node.left + node.width / 2 - frame.left - frame.width / 2,
      top: node.top + node.height / 2 - frame.top - frame.height / 2,
    })
  }

  #draw(): void {
    const { nodes } = this.#graph
    const direction = this.#parent.clientWidth < NARROW ? 'down' : 'right'
    if (direction !== this.#direction) {
      this.#direction = direction
      const flow = flowOf(this.#graph, direction)
      const { boxes } = flow
      const placed = place(flow)
      const [width, height] = [placed.width + 2 * MARGIN, placed.height + 2 * MARGIN]
      const svg = s('svg', {
        viewBox: `${-MARGIN} ${-MARGIN} ${width} ${height}`,
        role: 'group',
        'aria-label': 'Stages; select one to show it below',
      })
      svg.style.maxWidth = `${width}px`
      svg.style.minWidth = `${SMALLEST[direction] * width}px`
      const lines = s('g', {})
      this.#edges = flow.edges.map(([from, to], i) =>
        drawEdge(lines, this.#graph, i, {
          points: placed.edges[i]!,
          from: boxes[from]!,
          to: boxes[to]!,
          direction,
        }),
      )
      this.#nodes = nodes.map((node, i) => {
        const [box, { x, y }] = [boxes[i]!, placed.nodes[i]!]
        const corner = { box, left: x - box.width / 2, top: y - box.height / 2 }
        return drawNode(this.#graph, node, corner, this.#select)
      })
      const { boxes: clusters, titles } = drawClusters(this.#graph, placed.clusters)
      svg.append(clusters, lines, titles, ...this.#nodes.map(({ element }) => element))
      this.#parent.replaceChildren(svg)
      this.mark(this.#selected)
      this.light(this.#lit)
      if (this.#live !== undefined) this.show(this.#live)
    }
    const { scrollWidth, clientWidth, scrollHeight, clientHeight, classList } = this.#parent
    this.#whole.hidden = scrollWidth <= clientWidth && scrollHeight <= clientHeight && !classList.contains('whole')
  }
}
