import type { HistogramAnswer } from '#src/control/index.js'
import { h, setText } from './dom.ts'
import { count, duration } from './format.ts'

const FIGURES = ['p50', 'p90', 'p99', 'p999', 'max', 'mean', 'deviation', 'count'] as const
const NAMES: Readonly<Record<(typeof FIGURES)[number], string>> = {
  p50: '50 %',
  p90: '90 %',
  p99: '99 %',
  p999: '99.9 %',
  max: 'largest',
  mean: 'mean',
  deviation: 'deviation',
  count: 'values',
}

/** The figures of a distribution, of late and since the start. */
export class PercentileTable {
  readonly element = h('table', { class: 'percentiles', hidden: true })
  readonly #window = column('')
  readonly #rows = FIGURES.map((figure) => ({ figure, now: h('td'), all: h('td') }))

  constructor() {
    const rows = this.#rows.map(({ figure, now, all }) =>
      h('tr', {}, h('th', { scope: 'row' }, NAMES[figure]), now, all),
    )
    this.element.append(
      h('thead', {}, h('tr', {}, h('th'), this.#window, column('since start'))),
      h('tbody', {}, ...rows),
    )
  }

  show({ unit, window, total }: HistogramAnswer): void {
    this.element.hidden = false
    setText(this.#window, `last ${Math.round(window.seconds)} s`)
    for (const { figure, now, all } of this.#rows) {
      const text = (value: number): string =>
        unit === 'ns' && figure !== 'count' ? duration(value / 1e6) : count(value)
      setText(now, text(window.figures[figure]))
      setText(all, text(total.figures[figure]))
    }
  }
}

function column(title: string): HTMLElement {
  return h('th', { scope: 'col' }, title)
}
