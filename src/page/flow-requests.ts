import type { GraphAnswer } from '#src/control/index.js'
import type { RequestAnswer, RequestList } from '#src/flow-server/index.js'
import { ask } from './api.ts'
import { byId, h, Keyed, set, setText } from './dom.ts'
import { FlowRequestPanel } from './flow-request-panel.ts'
import { count, duration } from './format.ts'
import { GraphView } from './graph-view.ts'
import { act } from './notices.ts'

const PAGE_SIZE = 25
const STATES = ['queued', 'running', 'paused', 'succeeded', 'failed', 'stopped', 'timedOut'] as const

/** The requests of one flow, in pages; the one that was chosen beside them, and on the drawing of the flow. */
export class FlowRequests {
  readonly name: string
  readonly #path: string
  readonly #panel: FlowRequestPanel
  readonly #rows: Keyed<RequestAnswer>
  readonly #state = h('select', { 'aria-label': 'State', change: () => void this.#turn(1) })
  readonly #pages = h('span', { class: 'muted' })
  readonly #before = h('button', { type: 'button', click: () => void this.#turn(this.#page - 1) }, 'Newer')
  readonly #after = h('button', { type: 'button', click: () => void this.#turn(this.#page + 1) }, 'Older')
  #page = 1
  #looks = 0
  #chosen: string | undefined

  constructor(name: string, graph: GraphAnswer) {
    this.name = name
    this.#path = `flows/${encodeURIComponent(name)}`
    const whole = byId('flow-whole') as HTMLButtonElement
    const place = h('div', { class: 'graph' })
    byId('flow-graph').replaceChildren(place)
    const view = new GraphView(place, whole, graph, () => undefined)
    this.#panel = new FlowRequestPanel(byId('flow-request'), { path: this.#path, graph, view }, (id) => this.choose(id))
    this.#state.replaceChildren(
      h('option', { value: '' }, 'all states'),
      ...STATES.map((state) => h('option', { value: state }, state)),
    )
    setText(byId('flow-requests-title'), `Requests of ${name}`)
    byId('flow-requests-bar').replaceChildren(this.#state, this.#before, this.#after, this.#pages)
    // Its own: an answer that comes late, to a flow that was shown before, is for rows that are not shown any more.
    const body = h('tbody', { id: 'flow-requests' })
    byId('flow-requests').replaceWith(body)
    this.#rows = new Keyed(body, ({ id }) => this.#row(id))
  }

  static graphOf(name: string): Promise<GraphAnswer> {
    return ask<GraphAnswer>('GET', `pipelines/${encodeURIComponent(name)}/graph`)
  }

  async look(): Promise<void> {
    const state = this.#state.value === '' ? '' : `&state=${this.#state.value}`
    const path = `${this.#path}/requests?page=${this.#page}&pageSize=${PAGE_SIZE}${state}`
    const look = ++this.#looks
    const { requests, total, pages } = await ask<RequestList>('GET', path)
    // Another state or page was chosen meanwhile.
    if (look !== this.#looks) return
    this.#rows.show(requests, ({ id }) => id)
    setText(this.#pages, `${count(total)} known${pages > 1 ? `, page ${this.#page} of ${pages}` : ''}`)
    this.#before.disabled = this.#page <= 1
    this.#after.disabled = this.#page >= pages
    if (this.#chosen === undefined && requests[0] !== undefined) this.#chosen = requests[0].id
    await this.#panel.show(this.#chosen)
  }

  async choose(id: string): Promise<void> {
    this.#chosen = id
    await this.look()
  }

  async #turn(page: number): Promise<void> {
    this.#page = page
    await act(() => this.look())
  }

  #row(id: string): { element: HTMLElement; update(request: RequestAnswer): void } {
    const choose = h('button', { type: 'button', class: 'quiet id', click: () => void act(() => this.choose(id)) }, id)
    const pill = h('span', { class: 'pill' })
    const [started, took] = [h('td'), h('td')]
    return {
      element: h('tr', { 'data-request': id }, h('th', { scope: 'row' }, choose), h('td', {}, pill), started, took),
      update: ({ state, createdAt, endedAt }) => {
        set(choose, 'aria-pressed', String(this.#chosen === id))
        set(pill, 'class', `pill ${state}`)
        setText(pill, state)
        setText(started, new Date(createdAt).toLocaleString('en-GB'))
        setText(took, endedAt === undefined ? '' : duration(Date.parse(endedAt) - Date.parse(createdAt)))
      },
    }
  }
}
