import type { FiguresAnswer, HistogramAnswer, HistogramList } from '#src/control/index.js'
import { ask } from './api.ts'
import { h, key } from './dom.ts'
import { exemplarsOf, type FindTraces } from './exemplars.ts'
import { Sight } from './frame.ts'
import { HdrPlot } from './hdr-plot.ts'
import { PercentileTable } from './percentile-table.ts'

type Kind = HistogramAnswer['kind']

/** The distributions of a stage, one at a time: the plot, and its figures beside it. */
export class HistogramView {
  readonly element: HTMLElement
  readonly #pipeline: string
  readonly #node: string
  readonly #labels: ReadonlyMap<string, string>
  readonly #plot: HdrPlot
  readonly #kinds = h('div', { class: 'tabs', role: 'group', 'aria-label': 'Histogram' })
  readonly #percentiles = new PercentileTable()
  readonly #sight: Sight
  #kind: Kind | undefined
  #answer: HistogramAnswer | undefined
  #isAnswered = false

  /** @param find shows traces that are as a search says */
  constructor(pipeline: string, node: string, { histograms }: FiguresAnswer, find: FindTraces) {
    this.#pipeline = `pipelines/${encodeURIComponent(pipeline)}`
    this.#node = node
    this.#labels = new Map(histograms.map(({ kind, label }) => [kind, label]))
    const plot = h('div', { class: 'chart', title: 'Click to see traces of about this time' })
    plot.addEventListener('click', ({ clientY }) => this.#find(clientY, find))
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
      h('div', {}, h('h3', {}, 'Percentiles'), this.#percentiles.element),
    )
    this.#plot = new HdrPlot(plot)
    this.#sight = new Sight(this.element, () => this.#askAndShow())
  }

  /** Asks for what is chosen; after the first answer, where that is in sight. It is drawn by `show`. */
  async ask(): Promise<void> {
    if (this.#isAnswered && !this.#sight.isSeen) return
    if (this.#kind === undefined) await this.#findKinds()
    if (this.#kind === undefined) return
    const stage = `${this.#pipeline}/stages/${encodeURIComponent(this.#node)}`
    const answer = await ask<HistogramAnswer>('GET', `${stage}/histograms/${this.#kind}?window=10`)
    if (answer.kind !== this.#kind) return
    this.#answer = answer
    this.#isAnswered = true
  }

  /** Draws what was answered since it was last drawn. */
  show(): void {
    if (this.#answer === undefined) return
    this.#plot.show(this.#answer)
    this.#percentiles.show(this.#answer)
    this.#answer = undefined
  }

  /** Traces of the bucket that was clicked. */
  #find(clientY: number, find: FindTraces): void {
    const value = this.#plot.valueAt(clientY)
    const found =
      value === undefined || this.#kind === undefined ? undefined : exemplarsOf(this.#kind, this.#node, value)
    if (found !== undefined) find(found.query, found.text)
  }

  /** What has just been chosen, or scrolled to, waits for no snapshot. */
  #askAndShow(): void {
    void this.ask().then(
      () => this.show(),
      () => undefined,
    )
  }

  async #findKinds(): Promise<void> {
    const { histograms } = await ask<HistogramList>('GET', `${this.#pipeline}/histograms`)
    const kinds = histograms.filter(({ node }) => node === this.#node).map(({ kind }) => kind)
    this.#kinds.replaceChildren(
      ...kinds.map((kind) =>
        h(
          'button',
          { type: 'button', 'data-kind': kind, click: () => this.#choose(kind) },
          this.#labels.get(kind) ?? kind,
        ),
      ),
    )
    if (kinds[0] !== undefined) this.#press(kinds[0])
  }

  #choose(kind: Kind): void {
    this.#press(kind)
    this.#askAndShow()
  }

  #press(kind: Kind): void {
    this.#kind = kind
    for (const button of this.#kinds.querySelectorAll('button'))
      button.setAttribute('aria-pressed', String(button.dataset['kind'] === kind))
  }
}
