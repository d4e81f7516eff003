/** Where all lies: the layout of the page, and rows below each other where a graph is long and narrow. */
import { rowsOf } from '../render/rows.ts'
import type { Box, Placed, Point } from '../page/flow.ts'
import { place } from '../page/layout.ts'
import type { ShownGraph } from './fold.ts'

export interface Arranged extends Box {
  /** Middles, by node. */
  readonly nodes: ReadonlyMap<string, Point>
  readonly clusters: ReadonlyMap<string, Point & Box>
  /** The line of each edge, as SVG has it, in the order of the edges; and where its text stands. */
  readonly edges: readonly { readonly path: string; readonly middle: Point }[]
}

export const NODE_BOX: Box = { width: 168, height: 62 }
const TITLE_HEIGHT = 28
const LETTER = 7.5
const ROW_GAP = 70
const TURN = 60
/** Before a node that is entered from another row; and how round the corners are. */
const STEP = 20
const BEND = 9

export function arrange({ nodes, edges, clusters }: ShownGraph): Arranged {
  const rows = rowsOf({ nodes: nodes.map(({ id }) => id), edges, boxOf: outermost({ nodes, edges, clusters }) })
  const rowOf = (id: string): number => rows?.get(id)?.row ?? 0
  const count = 1 + Math.max(0, ...nodes.map(({ id }) => rowOf(id)))
  const middles = new Map<string, Point>()
  const frames = new Map<string, Point & Box>()
  const lines: { path: string; middle: Point }[] = []
  const tops: number[] = []
  let [top, width] = [0, 0]
  for (let row = 0; row < count; row++) {
    tops.push(top)
    const own = nodes.filter(({ id }) => rowOf(id) === row)
    const inner = edges.flatMap((edge, i) => (rowOf(edge.from) === row && rowOf(edge.to) === row ? [i] : []))
    const placed = placedRow({ nodes: own, edges: inner.map((i) => edges[i]!), clusters })
    const moved = (point: Point): Point => ({ x: point.x, y: point.y + top })
    own.forEach(({ id }, i) => middles.set(id, moved(placed.nodes[i]!)))
    clusters.forEach(({ id }, i) => {
      const frame = placed.clusters[i]
      if (frame !== undefined) frames.set(id, { ...frame, ...moved(frame) })
    })
    inner.forEach((edge, i) => (lines[edge] = lineOf(placed.edges[i]!.map(moved))))
    top += placed.height + ROW_GAP
    width = Math.max(width, placed.width)
  }
  edges.forEach(({ from, to }, i) => {
    if (lines[i] !== undefined) return
    const beside = rowOf(from) < rowOf(to) ? tops[rowOf(to)]! : tops[rowOf(to) + 1]!
    lines[i] = turned(middles.get(from)!, middles.get(to)!, beside - ROW_GAP / 2)
  })
  return { nodes: middles, clusters: frames, edges: lines, width, height: Math.max(0, top - ROW_GAP) }
}

/** Of each node, the outermost cluster that it is drawn in: these are not cut. */
function outermost({ nodes, clusters }: ShownGraph): (node: string) => string {
  const parents = new Map(clusters.map(({ id, parent }) => [id, parent]))
  const around = (cluster: string | undefined): string => {
    if (cluster === undefined || !parents.has(cluster)) return ''
    const parent = parents.get(cluster)
    return parent !== undefined && parents.has(parent) ? around(parent) : cluster
  }
  const boxes = new Map(nodes.map(({ id, cluster }) => [id, around(cluster)]))
  return (node) => boxes.get(node)!
}

function placedRow({ nodes, edges, clusters }: ShownGraph): Placed {
  const numbers = new Map(nodes.map(({ id }, i) => [id, i]))
  const clusterNumbers = new Map(clusters.map(({ id }, i) => [id, i]))
  return place({
    boxes: nodes.map(() => NODE_BOX),
    edges: edges.map(({ from, to }) => [numbers.get(from)!, numbers.get(to)!] as const),
    clusterOf: nodes.map(({ cluster }) => clusterNumbers.get(cluster ?? '') ?? -1),
    clusters: clusters.map(({ title, parent }) => ({
      title: { width: (title.length + 4) * LETTER, height: TITLE_HEIGHT },
      within: clusterNumbers.get(parent ?? '') ?? -1,
    })),
    direction: 'right',
  })
}

/** From the right side of one box to the left side of the other, through all points. */
function lineOf(points: readonly Point[]): { path: string; middle: Point } {
  const [first, last] = [points[0]!, points.at(-1)!]
  const isForth = last.x > first.x
  const all = [
    { x: first.x + NODE_BOX.width / 2, y: first.y },
    ...points.slice(1, -1),
    { x: last.x - NODE_BOX.width / 2, y: last.y },
  ]
  const path = all.map((point, i) => {
    if (i === 0) return `M${point.x},${point.y}`
    const before = all[i - 1]!
    const half = Math.abs(point.x - before.x) / 2
    const bend = (isEnd: boolean): number => (isForth ? half : isEnd ? Math.max(TURN, half) : -half)
    return `C${before.x + bend(i === 1)},${before.y} ${point.x - bend(i === all.length - 1)},${point.y} ${point.x},${point.y}`
  })
  const [a, b] = [all[Math.floor((all.length - 1) / 2)]!, all[Math.floor((all.length - 1) / 2) + 1]!]
  return { path: path.join(''), middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 - 7 } }
}

/** To another row: out of the one, along the gap beside the other, and in from its left. @param gap where that gap lies */
function turned(from: Point, to: Point, gap: number): { path: string; middle: Point } {
  const [out, into] = [Math.sign(gap - from.y), Math.sign(to.y - gap)]
  const enter = to.x - NODE_BOX.width / 2 - STEP
  const across = Math.sign(enter - from.x) || -1
  const path = [
    `M${from.x},${from.y + (out * NODE_BOX.height) / 2}V${gap - out * BEND}`,
    `Q${from.x},${gap} ${from.x + across * BEND},${gap}H${enter - across * BEND}`,
    `Q${enter},${gap} ${enter},${gap + into * BEND}V${to.y - into * BEND}`,
    `Q${enter},${to.y} ${enter + BEND},${to.y}H${to.x - NODE_BOX.width / 2}`,
  ]
  return { path: path.join(''), middle: { x: (from.x + enter) / 2, y: gap - 7 } }
}
