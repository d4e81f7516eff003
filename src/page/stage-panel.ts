import type { Counts, FiguresAnswer, GraphAnswer, Live, StageView } from '#src/control/index.js'
import { ask } from './api.ts'
import { Sparkline } from './charts.ts'
import { h, key, setText } from './dom.ts'
import type { FindTraces } from './exemplars.ts'
import { count, percent, rate } from './format.ts'
import { HistogramView } from './histogram-view.ts'
import type { Histories } from './histories.ts'
import { LimitForm } from './limit-form.ts'
import { paint, shareBar } from './shares.ts'
import { type WorkerHost, WorkerTable } from './worker-table.ts'

const RATES = [
  { label: 'in', figure: 'in', color: 'busy' },
  { label: 'out', figure: 'out', color: 'muted' },
] as const
const TIMES = [
  { label: 'busy', color: 'busy' },
  { label: 'blocked', color: 'blocked' },
] as const
export interface PanelHost extends WorkerHost {
  readonly pipeline: string
  readonly graph: GraphAnswer
  readonly figures: FiguresAnswer
  readonly histories: Histories
  readonly find: FindTraces
}

/** Everything about one stage. Made when it is chosen, brought up to date while it is shown. */
export class StagePanel {
  readonly node: string
  readonly #path: string
  readonly #figures: readonly Shown[]
  readonly #bar = shareBar()
  readonly #charts: readonly Sparkline[]
  readonly #histogram: HistogramView
  readonly #workers: WorkerTable
  readonly #limit: LimitForm
  readonly #scale = h('p', { class: 'muted scale' })
  readonly #batches = h('p', { class: 'muted' })
  #view: StageView | undefined
  #shown = 0

  constructor(parent: HTMLElement, node: string, host: PanelHost) {
    this.node = node
    const pipeline = `pipelines/${encodeURIComponent(host.pipeline)}`
    this.#path = `${pipeline}/stages/${encodeURIComponent(node)}`
    const kind = host.graph.nodes.find(({ id }) => id === node)?.kind ?? ''
    const source = kind === 'source' ? `${pipeline}/sources/${encodeURIComponent(node)}` : undefined
    this.#limit = new LimitForm(this.#path, source, (what) =>
      host.act(async () => {
        await what()
        await this.#look()
        this.#limit.show(this.#view!)
      }),
    )
    this.#histogram = new HistogramView(host.pipeline, node, host.figures, host.find)
    this.#workers = new WorkerTable(node, this.#path, host)
    const [rates, shares] = [h('div', { class: 'chart' }), h('div', { class: 'chart' })]
    this.#figures = host.figures.nodes.map(shownOf)
    const chart = (title: string, lines: typeof RATES | typeof TIMES, place: HTMLElement): HTMLElement =>
      h('figure', {}, h('figcaption', {}, title, ...lines.map(({ label, color }) => key(color, label))), place)
    parent.replaceChildren(
      h('div', { class: 'head' }, h('h2', {}, node), h('span', { class: 'muted' }, kind)),
      h('dl', { class: 'figures' }, ...this.#figures.map(({ element }) => element)),
      this.#bar,
      this.#limit.element,
      h('div', { class: 'columns' }, chart('Records ', RATES, rates), chart('Time ', TIMES, shares)),
      this.#histogram.element,
      this.#batches,
      h('h3', {}, 'Workers'),
      this.#scale,
      this.#workers.element,
    )
    const history = host.histories.of(node)
    this.#charts = [new Sparkline(rates, RATES, history.rates), new Sparkline(shares, TIMES, history.shares, true)]
  }

  show({ stages }: Live): void {
    const live = stages.find(({ node }) => node === this.node)
    if (live === undefined) return
    for (const figure of this.#figures) figure.update(live)
    paint(this.#bar, live.shares)
    setText(this.#scale, scaleText(live.scale))
    if (this.#view !== undefined) this.#limit.show(this.#view)
    this.#workers.show(live.workers, this.#view)
    for (const chart of this.#charts) chart.refresh()
    this.#histogram.show()
    void this.#askInTurn(this.#shown++).catch(() => undefined)
  }

  /**
   * What is not sent is asked for by turns: restarts with their causes, and the distribution. Answers are drawn with the
   * snapshots: a picture of their own would cost as much as one of everything.
   */
  async #askInTurn(turn: number): Promise<void> {
    if (turn % 2 === 0) await this.#look()
    else await this.#histogram.ask()
  }

  async #look(): Promise<void> {
    this.#view = await ask<StageView>('GET', this.#path)
    setText(this.#batches, batchesText(this.#view.batches))
  }
}

/** How many workers a stage has of those that it may have, and why it has so many. */
function scaleText(scale: Stage['scale']): string {
  if (scale === undefined) return ''
  const { workers, min, max, load, text } = scale
  const loaded = load === undefined ? '' : `, load ${percent(load)}`
  return `${workers} of ${min} to ${max}${loaded}: ${text}`
}

/** Which share of a stage's batches was completed by what, the largest first. */
function batchesText(batches: StageView['batches']): string {
  const counts = Object.entries(batches ?? {}).filter(([, each]) => each > 0)
  const all = counts.reduce((sum, [, each]) => sum + each, 0)
  if (all === 0) return ''
  const parts = counts.toSorted(([, a], [, b]) => b - a).map(([by, each]) => `${by} ${percent(each / all)}`)
  return `${count(all)} batches, completed by ${parts.join(', ')}`
}

type Stage = Live['stages'][number]

interface Shown {
  readonly element: HTMLElement
  update(stage: Stage): void
}

/** What the charts show is shown as a rate, everything else as a count. */
function shownOf({ name, label, text, rate: rateName }: FiguresAnswer['nodes'][number]): Shown {
  const place = h('dd', {}, '–')
  const isRate = rateName !== undefined && RATES.some(({ figure }) => figure === name)
  const field = (isRate ? rateName : name) as keyof Counts
  const textOf = isRate ? rate : count
  return {
    element: h('div', { title: text }, h('dt', {}, label), place),
    update: (stage) => setText(place, textOf(stage[field])),
  }
}
