import type { GraphAnswer, HistogramAnswer, HistogramList, Live, StageView } from '#src/control/index.js'
import { ask } from './api.ts'
import { HdrPlot, Series, Sparkline } from './charts.ts'
import { h, Keyed, setText } from './dom.ts'
import { clock, count, duration, percent, rate } from './format.ts'

type Kind = HistogramAnswer['kind']
type LiveStage = Live['stages'][number]
type Worker = {
  readonly index: number
  readonly live: LiveStage['workers'][number]
  readonly view: StageView['workers'][number] | undefined
}

const KIND_NAMES: Readonly<Record<Kind, string>> = {
  service: 'time of a call',
  lane: 'time on the lane',
  batch: 'records in a batch',
  ack: 'time to the ack',
  endToEnd: 'from source to here',
}
const SHARES = ['busy', 'blocked', 'limited', 'starved'] as const
const PERCENTILES = ['p50', 'p90', 'p99', 'p999', 'max'] as const
const PERCENTILE_NAMES = { p50: '50 %', p90: '90 %', p99: '99 %', p999: '99.9 %', max: 'most' } as const

/** The last two minutes of every stage, so that a panel that is opened has something to show. */
export class Histories {
  readonly #stages = new Map<string, { readonly rates: Series; readonly shares: Series }>()

  add({ time, stages }: Live): void {
    for (const { node, in: into, out, shares } of stages) {
      const { rates, shares: series } = this.of(node)
      rates.add(time, into, out)
      series.add(time, shares.busy, shares.blocked)
    }
  }

  of(node: string): { readonly rates: Series; readonly shares: Series } {
    const known = this.#stages.get(node) ?? { rates: new Series(2), shares: new Series(2) }
    this.#stages.set(node, known)
    return known
  }
}

export interface PanelHost {
  readonly pipeline: string
  readonly graph: GraphAnswer
  readonly histories: Histories
  /** Does something, and says so where it fails. */
  act(what: () => Promise<unknown>): Promise<void>
  confirm(text: string, yes: string): Promise<boolean>
}

/** Everything about one stage. Made when it is chosen, brought up to date while it is shown. */
export class StagePanel {
  readonly node: string
  readonly #host: PanelHost
  readonly #path: string
  readonly #figures = new Map<string, HTMLElement>()
  readonly #bar = h('div', { class: 'bar', 'aria-hidden': true })
  readonly #charts: Sparkline[]
  readonly #plot: HdrPlot
  readonly #kinds = h('div', { class: 'tabs', role: 'group', 'aria-label': 'Histogram' })
  readonly #percentiles = h('table', { class: 'percentiles' })
  readonly #workers: Keyed<Worker>
  readonly #limit: HTMLElement | undefined
  #kind: Kind | undefined
  #view: StageView | undefined
  #isClosed = false

  constructor(parent: HTMLElement, node: string, host: PanelHost) {
    this.node = node
    this.#host = host
    this.#path = `pipelines/${encodeURIComponent(host.pipeline)}/stages/${encodeURIComponent(node)}`
    const kind = host.graph.nodes.find(({ id }) => id === node)?.kind ?? ''
    const figures = ['in', 'out', 'in flight', 'failed', 'dead-lettered', 'retried'].map((name) => {
      const value = h('dd', {}, '–')
      this.#figures.set(name, value)
      return h('div', {}, h('dt', {}, name), value)
    })
    for (const share of SHARES) this.#bar.append(h('i', { class: share }))
    const rates = h('div', { class: 'chart' })
    const shares = h('div', { class: 'chart' })
    const plot = h('div', { class: 'chart' })
    const rows = h('tbody')
    this.#workers = new Keyed<Worker>(rows, (worker) => this.#workerRow(worker))
    this.#limit = kind === 'source' ? this.#limitForm() : undefined
    parent.replaceChildren(
      h('div', { class: 'head' }, h('h2', {}, node), h('span', { class: 'muted' }, kind)),
      h('dl', { class: 'figures' }, ...figures),
      this.#bar,
      ...(this.#limit === undefined ? [] : [this.#limit]),
      h(
        'div',
        { class: 'columns' },
        h('figure', {}, h('figcaption', {}, 'Records ', key('busy', 'in'), key('muted', 'out')), rates),
        h('figure', {}, h('figcaption', {}, 'Time ', key('busy', 'busy'), key('blocked', 'blocked')), shares),
      ),
      h(
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
      ),
      h('h3', {}, 'Workers'),
      h(
        'div',
        { class: 'scroll' },
        h(
          'table',
          { class: 'workers' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ...['#', 'state', 'time', 'in hand', 'restarts', 'last cause', ''].map((name) =>
                h('th', { scope: 'col' }, name),
              ),
            ),
          ),
          rows,
        ),
      ),
    )
    const history = host.histories.of(node)
    this.#charts = [
      new Sparkline(
        rates,
        [
          { label: 'in', color: 'busy' },
          { label: 'out', color: 'muted' },
        ],
        history.rates,
      ),
      new Sparkline(
        shares,
        [
          { label: 'busy', color: 'busy' },
          { label: 'blocked', color: 'blocked' },
        ],
        history.shares,
        true,
      ),
    ]
    this.#plot = new HdrPlot(plot)
    void this.#poll()
  }

  show({ stages }: Live): void {
    const live = stages.find(({ node }) => node === this.node)
    if (live === undefined) return
    const { shares } = live
    const figures: Record<string, string> = {
      in: rate(live.in),
      out: rate(live.out),
      'in flight': count(live.inFlight),
      failed: count(live.failed),
      'dead-lettered': count(live.deadLettered),
      retried: count(live.retried),
    }
    for (const [name, text] of Object.entries(figures)) setText(this.#figures.get(name)!, text)
    paint(this.#bar, shares)
    for (const chart of this.#charts) chart.refresh()
    this.#workers.show(
      live.workers.map((worker, index) => ({ index, live: worker, view: this.#view?.workers[index] })),
      ({ index }) => String(index),
    )
  }

  close(): void {
    this.#isClosed = true
  }

  /** What is asked for rather than sent: restarts and their causes, and the distribution. */
  async #poll(): Promise<void> {
    while (!this.#isClosed) {
      try {
        this.#view = await ask<StageView>('GET', this.#path)
        this.#showLimit()
        if (this.#kind === undefined) await this.#chooseKind()
        if (this.#kind !== undefined) {
          this.#showHistogram(await ask<HistogramAnswer>('GET', `${this.#path}/histograms/${this.#kind}?window=10`))
        }
      } catch {
        // The stream tells that the connection is lost.
      }
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
  }

  async #chooseKind(): Promise<void> {
    const { histograms } = await ask<HistogramList>(
      'GET',
      `pipelines/${encodeURIComponent(this.#host.pipeline)}/histograms`,
    )
    const kinds = histograms.filter(({ node }) => node === this.node).map(({ kind }) => kind)
    this.#kind = kinds[0]
    this.#kinds.replaceChildren(
      ...kinds.map((kind) =>
        h(
          'button',
          {
            type: 'button',
            'aria-pressed': String(kind === this.#kind),
            click: (event) => {
              this.#kind = kind
              for (const button of this.#kinds.children)
                button.setAttribute('aria-pressed', String(button === event.currentTarget))
              void ask<HistogramAnswer>('GET', `${this.#path}/histograms/${kind}?window=10`).then((found) =>
                this.#showHistogram(found),
              )
            },
          },
          KIND_NAMES[kind],
        ),
      ),
    )
  }

  #showHistogram(answer: HistogramAnswer): void {
    if (answer.kind !== this.#kind) return
    this.#plot.show(answer)
    const text = (value: number): string => (answer.unit === 'ns' ? duration(value / 1e6) : count(value))
    const { window, total } = answer
    this.#percentiles.replaceChildren(
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', {}, ''),
          h('th', { scope: 'col' }, `last ${Math.round(window.seconds)} s`),
          h('th', { scope: 'col' }, 'since start'),
        ),
      ),
      h(
        'tbody',
        {},
        ...PERCENTILES.map((name) =>
          row(PERCENTILE_NAMES[name], text(window.figures[name]), text(total.figures[name])),
        ),
        row('mean', text(window.figures.mean), text(total.figures.mean)),
        row('deviation', text(window.figures.deviation), text(total.figures.deviation)),
        row('values', count(window.figures.count), count(total.figures.count)),
      ),
    )
  }

  #workerRow({ index }: Worker): { element: Element; update(worker: Worker): void } {
    const [state, hand, restarts, cause] = [h('td'), h('td'), h('td'), h('td', { class: 'cause' })]
    const bar = h('div', { class: 'bar', title: '' }, ...SHARES.map((share) => h('i', { class: share })))
    const path = `${this.#path}/workers/${index}`
    let epoch = 0
    const act = (name: 'restart' | 'kill') => async (): Promise<void> => {
      const text =
        name === 'restart'
          ? `Restart worker ${index} of ${this.node}? What it has in hand is called again.`
          : `Kill worker ${index} of ${this.node}, as a crash would? It counts against the restarts of the stage.`
      if (!(await this.#host.confirm(text, name === 'restart' ? 'Restart' : 'Kill'))) return
      await this.#host.act(() => ask('POST', `${path}/${name}`, { epoch }))
    }
    const buttons = h(
      'td',
      { class: 'buttons' },
      h(
        'button',
        { type: 'button', 'aria-label': `Restart worker ${index}`, click: () => void act('restart')() },
        'Restart',
      ),
      h(
        'button',
        { type: 'button', class: 'quiet', 'aria-label': `Kill worker ${index}`, click: () => void act('kill')() },
        'Kill',
      ),
    )
    const element = h(
      'tr',
      {},
      h('th', { scope: 'row' }, String(index)),
      state,
      h('td', {}, bar),
      hand,
      restarts,
      cause,
      buttons,
    )
    return {
      element,
      update: ({ live, view }) => {
        epoch = live.epoch
        setText(state, live.state)
        state.className = `state ${live.state}`
        paint(bar, live.shares)
        bar.title = SHARES.map((share) => `${share} ${percent(live.shares[share])}`).join(', ')
        setText(hand, String(live.inHand))
        setText(restarts, String(live.epoch))
        const last = view?.restarts.at(-1)
        const why = last?.error.message ?? last?.error.code ?? last?.error.name ?? ''
        setText(cause, last === undefined ? '' : `${clock(last.time)} ${last.counts ? '' : '(asked for) '}${why}`)
        buttons.hidden = this.#view?.host === 'embedder'
      },
    }
  }

  #limitForm(): HTMLElement {
    const input = h('input', { type: 'number', min: 0, step: 'any', id: 'rate-limit', placeholder: 'no limit' })
    const pause = h('button', { type: 'button', class: 'pause-source' }, 'Pause source')
    const path = `pipelines/${encodeURIComponent(this.#host.pipeline)}/sources/${encodeURIComponent(this.node)}`
    const set = async (event: Event): Promise<void> => {
      event.preventDefault()
      const perSecond = input.value === '' ? null : Number(input.value)
      await this.#host.act(() => ask('PUT', `${path}/rate-limit`, { perSecond }))
    }
    pause.addEventListener('click', () => {
      const act = this.#view?.isPaused === true ? 'resume' : 'pause'
      void this.#host.act(async () => {
        await ask('POST', `${path}/${act}`)
        this.#view = await ask<StageView>('GET', this.#path)
        this.#showLimit()
      })
    })
    return h(
      'form',
      { class: 'limit', submit: (event) => void set(event) },
      pause,
      h('label', { for: 'rate-limit' }, 'Rate limit, records/s'),
      input,
      h('button', { type: 'submit' }, 'Set'),
      h(
        'button',
        { type: 'button', class: 'quiet', click: () => void this.#host.act(() => ask('DELETE', `${path}/rate-limit`)) },
        'As planned',
      ),
    )
  }

  #showLimit(): void {
    if (this.#limit === undefined || this.#view === undefined) return
    const input = this.#limit.querySelector('input')!
    const limit = this.#view.rateLimit
    if (document.activeElement !== input) input.value = limit === null || limit === undefined ? '' : String(limit)
    setText(
      this.#limit.querySelector('.pause-source')!,
      this.#view.isPaused === true ? 'Resume source' : 'Pause source',
    )
  }
}

function row(name: string, now: string, all: string): HTMLElement {
  return h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, now), h('td', {}, all))
}

function key(color: string, text: string): HTMLElement {
  return h('span', { class: `key ${color}` }, text)
}

function paint(bar: HTMLElement, shares: LiveStage['shares']): void {
  SHARES.forEach((share, i) => ((bar.children[i] as HTMLElement).style.width = `${100 * shares[share]}%`))
}
