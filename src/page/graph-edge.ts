import type { GraphAnswer, Live } from '#src/control/index.js'
import { s, setText } from './dom.ts'
import { percent, rate } from './format.ts'
import type { Box, Placed } from './flow.ts'

export type Direction = 'right' | 'down'
type Point = Placed['edges'][number][number]

/** How far an edge that leads back goes on before it turns. */
const TURN = 60

/** Draws an edge: its width is its rate, its colour says whether what is behind it is full. @returns what brings it up to date */
export function drawEdge(
  parent: SVGGElement,
  { edges }: GraphAnswer,
  index: number,
  { points, from, to, direction }: { points: readonly Point[]; from: Box; to: Box; direction: Direction },
): (live: Live) => void {
  const edge = edges[index]! as { from: string; to: string; pathType?: string; when?: string }
  const title = s('title', {})
  const path = s(
    'path',
    { class: `edge ${edge.pathType ?? 'normal'}`, 'data-edge': index, d: curve(points, from, to, direction) },
    title,
  )
  const label = s('text', { class: `edge-label ${direction}`, ...beside(points, from, to, direction) })
  parent.append(path, label)
  return (live) => {
    const most = Math.max(1, ...live.edges.map((each) => each.recordsPerSecond))
    const now = live.edges[index]!
    const fill = now.capacity === 0 ? 0 : now.queued / now.capacity
    path.style.strokeWidth = `${(1.5 + 7 * Math.sqrt(now.recordsPerSecond / most)).toFixed(1)}px`
    path.classList.toggle('full', fill > 0.75)
    setText(label, now.recordsPerSecond > 0 ? rate(now.recordsPerSecond) : '')
    setText(
      title,
      `${edge.from} → ${edge.to}${edge.when === undefined ? '' : ` (${edge.when})`}: ${rate(now.recordsPerSecond)}, ${percent(Math.min(1, fill))} full`,
    )
  }
}

/** Where the rate stands: in the middle of the last stretch. */
function beside(points: readonly Point[], from: Box, to: Box, direction: Direction): { x: number; y: number } {
  const [a, b] = [points[points.length - 2]!, points[points.length - 1]!]
  const isRight = direction === 'right'
  const half = isRight ? from.width / 2 : from.height / 2
  const near = points.length === 2 ? half : 0
  return isRight
    ? { x: a.x + (b.x - a.x + near - to.width / 2) / 2, y: a.y + (b.y - a.y) / 2 - 7 }
    : { x: a.x + (b.x - a.x) / 2 + 10, y: a.y + (b.y - a.y + near - to.height / 2) / 2 + 4 }
}

/** From the side of one box to the side of the other, along the flow at both ends, and between them the way that it goes. */
function curve(points: readonly Point[], from: Box, to: Box, direction: Direction): string {
  const right = direction === 'right'
  const [first, last] = [points[0]!, points[points.length - 1]!]
  const along = ({ x, y }: Point): number => (right ? x : y)
  const moved = ({ x, y }: Point, by: number): Point => (right ? { x: x + by, y } : { x, y: y + by })
  const size = ({ width, height }: Box): number => (right ? width : height)
  const forth = along(last) >= along(first)
  const all = [moved(first, size(from) / 2), ...points.slice(1, -1), moved(last, -size(to) / 2)]
  return all
    .map((point, i) => {
      if (i === 0) return `M${point.x},${point.y}`
      const before = all[i - 1]!
      const half = Math.abs(along(point) - along(before)) / 2
      const bend = (isEnd: boolean): number => (forth ? half : isEnd ? Math.max(TURN, half) : -half)
      const [leaves, comes] = [moved(before, bend(i === 1)), moved(point, -bend(i === all.length - 1))]
      return `C${leaves.x},${leaves.y} ${comes.x},${comes.y} ${point.x},${point.y}`
    })
    .join('')
}
