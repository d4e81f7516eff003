import type { HistogramAnswer, HistogramList } from '#src/control/index.js'
import { ask } from './api.ts'
import { HdrPlot } from './charts.ts'
import { h, key } from './dom.ts'
import { count, duration } from './format.ts'

type Kind = HistogramAnswer['kind']

const KIND_NAMES: Readonly<Record<Kind, string>> = {
  service: 'time of a call',
  lane: 'time on the lane',
  batch: 'records in a batch',
  ack: 'time to the ack',
  endToEnd: 'from source to here',
}
const PERCENTILES = ['p50', 'p90', 'p99', 'p999', 'max'] as const
const PERCENTILE_NAMES = { p50: '50 %', p90: '90 %', p99: '99 %', p999: '99.9 %', max: 'largest' } as const

/** The distributions of a stage, one at a time: the plot, and its figures beside it. */
export class HistogramView {
  readonly element: HTMLElement
  readonly #pipeline: string
  readonly #node: string
  readonly #plot: HdrPlot
  readonly #kinds = h('div', { class: 'tabs', role: 'group', 'aria-label': 'Histogram' })
  readonly #percentiles = h('table', { class: 'percentiles' })
  #kind: Kind | undefined

  constructor(pipeline: string, node: string) {
    this.#pipeline = `pipelines/${encodeURIComponent(pipeline)}`
    this.#node = node
    const plot = h('div', { class: 'chart' })
    this.element = h(
      'div',
      { class: 'columns wide' },
      h(
        'figure',
        {},
        h('figcaption', {}, 'Distribution ', key('busy', 'last 10 s'), key('muted dashed', 'since the start')),
        this.#kinds,
        plot,
      ),
      h('div', {}, h('h3', {}, 'Percentiles'), this.#percentiles),
    )
    this.#plot = new HdrPlot(plot)
  }

  /** Asks for what is shown. */
  async refresh(): Promise<void> {
    if (this.#kind === undefined) await this.#findKinds()
    if (this.#kind === undefined) return
    const stage = `${this.#pipeline}/stages/${encodeURIComponent(this.#node)}`
    this.#show(await ask<HistogramAnswer>('GET', `${stage}/histograms/${this.#kind}?window=10`))
  }

  async #findKinds(): Promise<void> {
    const { histograms } = await ask<HistogramList>('GET', `${this.#pipeline}/histograms`)
    const kinds = histograms.filter(({ node }) => node === this.#node).map(({ kind }) => kind)
    this.#kinds.replaceChildren(
      ...kinds.map((kind) =>
        h('button', { type: 'button', 'data-kind': kind, click: () => this.#choose(kind) }, KIND_NAMES[kind]),
      ),
    )
    if (kinds[0] !== undefined) this.#choose(kinds[0])
  }

  #choose(kind: Kind): void {
    const isFirst = this.#kind === undefined
    this.#kind = kind
    for (const button of this.#kinds.querySelectorAll('button'))
      button.setAttribute('aria-pressed', String(button.dataset['kind'] === kind))
    if (!isFirst) void this.refresh().catch(() => undefined)
  }

  #show({ kind, unit, window, total }: HistogramAnswer): void {
    if (kind !== this.#kind) return
    this.#plot.show({ unit, window, total })
    const text = (value: number): string => (unit === 'ns' ? duration(value / 1e6) : count(value))
    const figures = (['mean', 'deviation'] as const).map((name) =>
      row(name, text(window.figures[name]), text(total.figures[name])),
    )
    this.#percentiles.replaceChildren(
      h('thead', {}, h('tr', {}, h('th'), column(`last ${Math.round(window.seconds)} s`), column('since start'))),
      h(
        'tbody',
        {},
        ...PERCENTILES.map((name) =>
          row(PERCENTILE_NAMES[name], text(window.figures[name]), text(total.figures[name])),
        ),
        ...figures,
        row('values', count(window.figures.count), count(total.figures.count)),
      ),
    )
  }
}

function column(title: string): HTMLElement {
  return h('th', { scope: 'col' }, title)
}

function row(name: string, now: string, all: string): HTMLElement {
  return h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, now), h('td', {}, all))
}
