import { percent, rate } from './format.ts'
import { Sight } from './frame.ts'

/** Seconds that sparklines show. */
const SHOWN_S = 120

export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}

/** One figure over the last two minutes, kept by the page itself. */
export class Series {
  readonly times: number[] = []
  readonly values: (number | null)[][]

  constructor(lines: number) {
    this.values = Array.from({ length: lines }, () => [])
  }

  add(time: number, ...values: number[]): void {
    this.times.push(time / 1_000)
    this.values.forEach((line, i) => line.push(values[i] ?? null))
    while (this.times.length > 0 && this.times[0]! < time / 1_000 - SHOWN_S) {
      this.times.shift()
      for (const line of this.values) line.shift()
    }
  }
}

export interface ChartLine {
  readonly label: string
  readonly color: string
}

/** A chart that is made anew when its place or the colours change, and drawn only while it is in sight. */
export abstract class Chart {
  protected plot: uPlot | undefined
  readonly #parent: HTMLElement
  readonly #sight: Sight
  #width = 0

  constructor(parent: HTMLElement) {
    this.#parent = parent
    this.#sight = new Sight(parent, () => this.refresh())
    new ResizeObserver(() => {
      if (parent.clientWidth !== this.#width) this.make()
    }).observe(parent)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.make())
  }

  make(): void {
    this.plot?.destroy()
    this.#width = this.#parent.clientWidth
    this.plot = this.#width === 0 ? undefined : new uPlot(this.options(this.#width), this.data(), this.#parent)
  }

  refresh(): void {
    if (this.plot === undefined) this.make()
    else if (this.#sight.isSeen) this.plot.setData(this.data())
  }

  protected abstract options(width: number): uPlot.Options
  protected abstract data(): uPlot.AlignedData
}

export class Sparkline extends Chart {
  readonly #lines: readonly ChartLine[]
  readonly #asShare: boolean
  #series: Series

  constructor(parent: HTMLElement, lines: readonly ChartLine[], series: Series, asShare = false) {
    super(parent)
    this.#lines = lines
    this.#series = series
    this.#asShare = asShare
    this.make()
  }

  protected data(): uPlot.AlignedData {
    return [this.#series.times, ...this.#series.values] as uPlot.AlignedData
  }

  protected options(width: number): uPlot.Options {
    const format = this.#asShare ? percent : rate
    const axis = { stroke: color('muted'), grid: { stroke: color('line'), width: 1 }, ticks: { show: false } }
    return {
      width,
      height: 110,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 22, 0, 0],
      scales: {
        x: { time: true, range: (_, __, max) => [max - SHOWN_S, max] },
        y: { range: (_, __, max) => [0, this.#asShare ? 1 : Math.max(1, max * 1.1)] },
      },
      axes: [
        {
          ...axis,
          size: 24,
          splits: (u) => [90, 60, 30, 0].map((s) => (u.scales['x']!.max ?? 0) - s),
          values: () => ['-90 s', '-60 s', '-30 s', 'now'],
        },
        { ...axis, size: 62, space: 36, values: (_, splits) => splits.map((value) => format(value)) },
      ],
      series: [
        {},
        ...this.#lines.map((line, i) => ({
          stroke: color(line.color),
          width: 1.5,
          points: { show: false },
          ...(i === 0 && !this.#asShare ? { fill: `${color(line.color)}22` } : {}),
        })),
      ],
    }
  }
}
