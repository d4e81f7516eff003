import type { GraphAnswer, TraceAnswer, TracingAnswer } from '#src/control/index.js'
import { ApiError, ask } from './api.ts'
import { byId, h, setText } from './dom.ts'
import { count, duration, percent } from './format.ts'
import { framed } from './frame.ts'
import { GraphView } from './graph-view.ts'
import { HeatStrip } from './heat-strip.ts'
import { LineageView } from './lineage-view.ts'
import { complain } from './notices.ts'
import { Scrub } from './scrub.ts'
import { TraceData, type TraceQuery } from './trace-data.ts'
import { TraceForm } from './trace-form.ts'
import { TraceListView } from './trace-list.ts'
import { Waterfall } from './waterfall.ts'

/** Between two looks at what is new, while somebody looks and has not scrolled away. */
const LIVE_MS = 2_000
/** So near to the end of what is there, the next page is asked for. */
const NEAR = 500

/** The tab of traces of one pipeline: what was found, over time, one of them, and its records on the graph. */
export class TraceTab {
  readonly #path: string
  readonly #data: TraceData
  readonly #form: TraceForm
  readonly #heat: HeatStrip
  readonly #list: TraceListView
  readonly #waterfall: Waterfall
  readonly #lineage: LineageView
  readonly #graph: GraphAnswer
  /** Drawn when the tab is seen for the first time. */
  #view: GraphView | undefined
  readonly #scrub: Scrub
  readonly #draw: () => void
  readonly #isLive = h('input', { type: 'checkbox', checked: true, id: 'traces-live' })
  #timer: ReturnType<typeof setTimeout> | undefined
  #isShown = false
  #isOff = false

  constructor(pipeline: string, graph: GraphAnswer) {
    this.#path = `pipelines/${encodeURIComponent(pipeline)}`
    this.#data = new TraceData(pipeline)
    const follow = (record: string): void => void this.#lineage.show(record).catch(complain)
    this.#waterfall = new Waterfall(follow)
    this.#graph = graph
    byId('trace-graph').replaceChildren()
    this.#lineage = new LineageView(pipeline, graph, (lit) => this.#view?.light(lit))
    this.#form = new TraceForm(graph, (query) => void this.#search(query))
    this.#heat = new HeatStrip((from, to, minMs, maxMs) =>
      this.#form.narrow({ from, to, minMs, maxMs }, `${duration(minMs)} to ${duration(maxMs)}`),
    )
    byId('trace-search').replaceChildren(this.#form.element, this.#heat.element)
    byId('trace-live').replaceChildren(h('label', { for: 'traces-live' }, this.#isLive, ' live'))
    this.#scrub = new Scrub(pipeline, ({ nodes, edges }) =>
      this.#view?.tell(
        new Map(nodes.map(({ node, inHand, busy }) => [node, `${count(inHand)} in progress, ${percent(busy)} busy`])),
        new Map(edges.map(({ edge, waiting }) => [edge, count(waiting)])),
      ),
    )
    byId('trace-moment').replaceChildren(this.#scrub.element)
    byId('trace-detail').replaceChildren(this.#waterfall.element, this.#lineage.element)
    this.#draw = framed(() => this.#show())
    this.#list = new TraceListView(
      byId('trace-list'),
      (trace) => void this.#choose(trace).catch(complain),
      (last) => this.#seen(last),
    )
    this.#waterfall.clear('Choose a trace.')
  }

  /** It comes to be seen, or no more: only what is seen asks. */
  shown(isShown: boolean): void {
    this.#isShown = isShown
    clearTimeout(this.#timer)
    if (!isShown) return
    this.#view ??= new GraphView(byId('trace-graph'), byId('trace-whole') as HTMLButtonElement, this.#graph, (node) =>
      this.#form.narrow({ node }, node),
    )
    void this.#search(this.#form.query)
  }

  /** Shows the traces that a search beside the fields finds. */
  narrow(query: TraceQuery, text: string): void {
    this.#form.narrow(query, text)
  }

  close(): void {
    this.#isShown = false
    clearTimeout(this.#timer)
  }

  async #search(query: TraceQuery): Promise<void> {
    clearTimeout(this.#timer)
    if (!this.#isShown) return
    try {
      await this.#data.search(query)
      this.#isOff = false
      this.#draw()
    } catch (error) {
      this.#isOff = error instanceof ApiError && error.code === 'TRACING_OFF'
      if (!this.#isOff) await complain(error)
      setText(byId('trace-count'), this.#isOff ? 'Nothing is traced. Run the pipeline with the option trace.' : '')
    }
    this.#timer = setTimeout(() => void this.#follow(), LIVE_MS)
  }

  async #follow(): Promise<void> {
    if (!this.#isShown || this.#isOff) return
    try {
      const isWanted = this.#isLive.checked && this.#list.isAtTop && !document.hidden
      if (isWanted && (await this.#data.refresh())) this.#draw()
      await this.#tellTracer()
    } catch {
      // The line of the whole pipeline says that the connection is lost.
    }
    this.#timer = setTimeout(() => void this.#follow(), LIVE_MS)
  }

  #seen(last: number): void {
    if (last + NEAR < this.#data.all.length || this.#data.all.length >= this.#data.total) return
    void this.#data.more().then(
      (isMore) => isMore && this.#draw(),
      () => undefined,
    )
  }

  #show(): void {
    const { all, total } = this.#data
    setText(byId('trace-count'), `${count(total)} traces`)
    this.#list.show(all)
    this.#heat.show(all)
    this.#scrub.over(all)
  }

  async #tellTracer(): Promise<void> {
    const { rate, tracer } = await ask<TracingAnswer>('GET', `${this.#path}/tracing`)
    const dropped = tracer.dropped > 0 ? `, ${count(tracer.dropped)} dropped` : ''
    const text = `${percent(rate)} of the chunks traced, ${count(tracer.readPerSecond)} events a second${dropped}`
    setText(byId('trace-rate'), text)
  }

  async #choose(trace: string): Promise<void> {
    this.#list.mark(trace)
    this.#lineage.clear()
    this.#waterfall.show(await ask<TraceAnswer>('GET', `${this.#path}/traces/${trace}`))
  }
}
