import type { HistogramAnswer } from '#src/control/index.js'
import { Chart, color } from './charts.ts'
import { count, duration } from './format.ts'

type Shown = Pick<HistogramAnswer, 'unit' | 'window' | 'total'>

/** A distribution as HDR plots are drawn: percentiles come apart the nearer they are to 100 %. */
export class HdrPlot extends Chart {
  #answer: Shown | undefined

  show(answer: Shown): void {
    const hadUnit = this.#answer?.unit
    this.#answer = answer
    if (hadUnit === answer.unit) this.refresh()
    else this.make()
  }

  /** What a place of the plot stands for, in milliseconds or records; undefined beside it. */
  valueAt(clientY: number): number | undefined {
    if (this.plot === undefined || this.#answer === undefined) return undefined
    const { top, height } = this.plot.over.getBoundingClientRect()
    return clientY < top || clientY > top + height ? undefined : this.plot.posToVal(clientY - top, 'y')
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

function line(name: string, dash?: number[]): uPlot.Series {
  return {
    stroke: color(name),
    width: 2,
    spanGaps: true,
    points: { show: false },
    ...(dash === undefined ? {} : { dash }),
  }
}
