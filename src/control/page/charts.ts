import type { HistogramAnswer } from '#src/control/index.js'
import { count, duration, percent, rate } from './format.ts'

/** Seconds that sparklines show. */
const SHOWN_S = 120

function color(name: string): string {
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

export interface Line {
  readonly label: string
  readonly color: string
}

/** A chart that is made anew when its place or the colours change. */
abstract class Chart {
  protected plot: uPlot | undefined
  readonly #parent: HTMLElement
  #width = 0

  constructor(parent: HTMLElement) {
    this.#parent = parent
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

  protected abstract options(width: number): uPlot.Options
  protected abstract data(): uPlot.AlignedData
}

export class Sparkline extends Chart {
  readonly #lines: readonly Line[]
  readonly #asShare: boolean
  #series: Series

  constructor(parent: HTMLElement, lines: readonly Line[], series: Series, asShare = false) {
    super(parent)
    this.#lines = lines
    this.#series = series
    this.#asShare = asShare
    this.make()
  }

  refresh(): void {
    if (this.plot === undefined) this.make()
    this.plot?.setData(this.data())
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

type Shown = Pick<HistogramAnswer, 'unit' | 'window' | 'total'>

/** A distribution as HDR plots are drawn: percentiles come apart the nearer they are to 100 %. */
export class HdrPlot extends Chart {
  #answer: Shown | undefined

  show(answer: Shown): void {
    const hadUnit = this.#answer?.unit
    this.#answer = answer
    if (this.plot === undefined || hadUnit !== answer.unit) this.make()
    else this.plot.setData(this.data())
  }

  protected data(): uPlot.AlignedData {
    if (this.#answer === undefined)
      return [
        [1, 10],
        [null, null],
        [null, null],
      ]
    const { total, window, unit } = this.#answer
    const scale = unit === 'ns' ? 1e-6 : 1
    const xs = (points: HistogramAnswer['total']['points'], all: number): [number, number][] =>
      points.map(({ share, value }) => [1 / Math.max(1 - share, 1 / (2 * Math.max(1, all))), value * scale])
    const lines = [xs(window.points, window.figures.count), xs(total.points, total.figures.count)]
    const x = [...new Set(lines.flat().map(([at]) => at))].sort((a, b) => a - b)
    const aligned = lines.map((line) => {
      const values = new Map(line)
      return x.map((at) => values.get(at) ?? null)
    })
    return x.length === 0
      ? [
          [1, 10],
          [null, null],
          [null, null],
        ]
      : ([x, ...aligned] as uPlot.AlignedData)
  }

  protected options(width: number): uPlot.Options {
    const axis = { stroke: color('muted'), grid: { stroke: color('line'), width: 1 }, ticks: { show: false } }
    const isTime = this.#answer?.unit !== 'records'
    const line = (name: string, dash?: number[]): uPlot.Series => ({
      stroke: color(name),
      width: 2,
      spanGaps: true,
      points: { show: false },
      ...(dash === undefined ? {} : { dash }),
    })
    return {
      width,
      height: 230,
      legend: { show: false },
      cursor: { show: false },
      padding: [10, 24, 0, 0],
      scales: {
        x: { time: false, distr: 3, range: (_, __, max) => [1, Math.max(100, max)] },
        y: { range: (_, __, max) => [0, Math.max(Number.MIN_VALUE, max * 1.08)] },
      },
      axes: [
        {
          ...axis,
          size: 28,
          splits: (u) => {
            const most = u.scales['x']!.max ?? 100
            // On a narrow chart the first ones would lie upon each other.
            const marks = width < 500 ? [1, 10, 100, 1e3, 1e4, 1e5, 1e6] : [1, 2, 10, 100, 1e3, 1e4, 1e5, 1e6]
            return marks.filter((at) => at <= most)
          },
          values: (_, splits) => splits.map((at) => shareText(at)),
          filter: (_, splits) => splits,
        },
        {
          ...axis,
          size: 66,
          space: 40,
          values: (_, splits) => splits.map((value) => (isTime ? duration(value) : count(value))),
        },
      ],
      series: [{}, line('busy'), line('muted', [5, 4])],
    }
  }
}

function shareText(inverse: number): string {
  if (inverse === 1) return '0 %'
  const digits = Math.max(0, Math.log10(inverse) - 2)
  return `${((1 - 1 / inverse) * 100).toFixed(digits)} %`
}
