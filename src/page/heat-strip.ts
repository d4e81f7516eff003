import { color } from './charts.ts'
import { h, setText } from './dom.ts'
import { clock, duration } from './format.ts'
import type { FoundTrace } from './trace-data.ts'

const COLUMNS = 160
const ROWS = 20
const HEIGHT = 90

/** What a column and a row stand for. */
interface Scale {
  readonly from: number
  readonly to: number
  /** Logarithms of milliseconds. */
  readonly low: number
  readonly high: number
}

/** How many traces took how long, over time: the more of them, the stronger the colour; failed ones in their own. */
export class HeatStrip {
  readonly element: HTMLElement
  readonly #canvas = h('canvas', { height: HEIGHT, role: 'img', 'aria-label': 'Durations of traces over time' })
  readonly #text = h('span', { class: 'muted' })
  #scale: Scale | undefined

  /** @param pick told the times and durations of a place that was clicked */
  constructor(pick: (from: number, to: number, minMs: number, maxMs: number) => void) {
    this.element = h('figure', { class: 'heat' }, this.#canvas, this.#text)
    this.#canvas.addEventListener('click', ({ offsetX, offsetY }) => {
      if (this.#scale === undefined) return
      const { from, to, low, high } = this.#scale
      const column = Math.floor((offsetX / this.#canvas.clientWidth) * COLUMNS)
      const row = ROWS - 1 - Math.floor((offsetY / this.#canvas.clientHeight) * ROWS)
      const at = (share: number): number => from + share * (to - from)
      const ms = (share: number): number => 10 ** (low + share * (high - low))
      pick(at(column / COLUMNS), at((column + 1) / COLUMNS), ms(row / ROWS), ms((row + 1) / ROWS))
    })
  }

  show(traces: readonly FoundTrace[]): void {
    const context = this.#canvas.getContext('2d')
    const width = this.#canvas.clientWidth
    if (context === null || width === 0) return
    if (this.#canvas.width !== width) this.#canvas.width = width
    context.clearRect(0, 0, width, HEIGHT)
    this.#scale = scaleOf(traces)
    if (this.#scale === undefined) return setText(this.#text, 'No traces.')
    const { from, to, low, high } = this.#scale
    setText(
      this.#text,
      `${clock(from)} to ${clock(to)}, ${duration(10 ** low)} to ${duration(10 ** high)}. Click to zoom in.`,
    )
    draw(context, traces, this.#scale)
  }
}

function draw(context: CanvasRenderingContext2D, traces: readonly FoundTrace[], scale: Scale): void {
  const { from, to, low, high } = scale
  const [all, failed] = [new Float64Array(COLUMNS * ROWS), new Float64Array(COLUMNS * ROWS)]
  for (const { startedAt, durationMs, status } of traces) {
    const column = Math.min(COLUMNS - 1, Math.floor(((startedAt - from) / (to - from)) * COLUMNS))
    const share = (Math.log10(Math.max(1e-3, durationMs)) - low) / (high - low)
    const cell = column * ROWS + Math.max(0, Math.min(ROWS - 1, Math.floor(share * ROWS)))
    all[cell]!++
    if (status === 'failed') failed[cell]!++
  }
  const most = all.reduce((a, b) => Math.max(a, b), 1)
  const [cellWidth, cellHeight] = [context.canvas.width / COLUMNS, HEIGHT / ROWS]
  const [good, bad] = [color('busy'), color('bad')]
  for (let cell = 0; cell < all.length; cell++) {
    if (all[cell] === 0) continue
    context.globalAlpha = 0.15 + 0.85 * Math.sqrt(all[cell]! / most)
    context.fillStyle = failed[cell]! > 0 ? bad : good
    const [column, row] = [Math.floor(cell / ROWS), cell % ROWS]
    context.fillRect(column * cellWidth, HEIGHT - (row + 1) * cellHeight, Math.ceil(cellWidth), Math.ceil(cellHeight))
  }
}

function scaleOf(traces: readonly FoundTrace[]): Scale | undefined {
  if (traces.length === 0) return undefined
  let [from, to, least, most] = [Infinity, -Infinity, Infinity, 0]
  for (const { startedAt, durationMs } of traces) {
    from = Math.min(from, startedAt)
    to = Math.max(to, startedAt)
    least = Math.min(least, durationMs)
    most = Math.max(most, durationMs)
  }
  const low = Math.floor(Math.log10(Math.max(1e-3, least)))
  return { from, to: Math.max(to, from + 1), low, high: Math.max(low + 1, Math.ceil(Math.log10(Math.max(1e-3, most)))) }
}
