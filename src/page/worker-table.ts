import type { Live, StageView } from '#src/control/index.js'
import { ask } from './api.ts'
import { h, Keyed, set, setText } from './dom.ts'
import { clock } from './format.ts'
import { paint, shareBar } from './shares.ts'

type LiveWorker = Live['stages'][number]['workers'][number]
interface Worker {
  readonly index: number
  readonly live: LiveWorker
  readonly view: StageView['workers'][number] | undefined
  readonly canEnd: boolean
}

export interface WorkerHost {
  /** Does something, and says so where it fails. */
  act(what: () => Promise<unknown>): Promise<void>
  confirm(text: string, yes: string): Promise<boolean>
}

const COLUMNS = ['#', 'state', 'time', 'in progress', 'restarts', 'last cause', '']

/** The workers of a stage: what they do, how often they died and why; each can be ended. */
export class WorkerTable {
  readonly element: HTMLElement
  readonly #node: string
  readonly #path: string
  readonly #host: WorkerHost
  readonly #rows: Keyed<Worker>

  /** @param path of the stage */
  constructor(node: string, path: string, host: WorkerHost) {
    this.#node = node
    this.#path = path
    this.#host = host
    const body = h('tbody')
    this.#rows = new Keyed<Worker>(body, (worker) => this.#row(worker))
    const head = h('tr', {}, ...COLUMNS.map((name) => h('th', { scope: 'col' }, name)))
    this.element = h('div', { class: 'scroll' }, h('table', { class: 'workers' }, h('thead', {}, head), body))
  }

  /** @param view what is known of restarts; undefined before the first answer */
  show(workers: readonly LiveWorker[], view: StageView | undefined): void {
    const canEnd = view?.host !== 'embedder'
    const rows = workers.map((live, index) => ({ index, live, view: view?.workers[index], canEnd }))
    this.#rows.show(rows, ({ index }) => String(index))
  }

  #row({ index }: Worker): { element: Element; update(worker: Worker): void } {
    const [state, hand, restarts, cause] = [h('td'), h('td'), h('td'), h('td', { class: 'cause' })]
    const bar = shareBar()
    let epoch = 0
    const end = async (act: 'restart' | 'kill'): Promise<void> => {
      const text =
        act === 'restart'
          ? `Restart worker ${index} of ${this.#node}? Calls in progress are repeated.`
          : `Kill worker ${index} of ${this.#node}, as a crash would? This counts against the restart limit of the stage.`
      if (!(await this.#host.confirm(text, act === 'restart' ? 'Restart' : 'Kill'))) return
      await this.#host.act(() => ask('POST', `${this.#path}/workers/${index}/${act}`, { epoch }))
    }
    const button = (act: 'restart' | 'kill', label: string): HTMLElement =>
      h(
        'button',
        {
          type: 'button',
          class: act === 'kill' ? 'quiet' : '',
          'aria-label': `${label} worker ${index}`,
          click: () => void end(act),
        },
        label,
      )
    const buttons = h('td', { class: 'buttons' }, button('restart', 'Restart'), button('kill', 'Kill'))
    const number = h('th', { scope: 'row' }, String(index))
    return {
      element: h('tr', {}, number, state, h('td', {}, bar), hand, restarts, cause, buttons),
      update: ({ live, view, canEnd }) => {
        epoch = live.epoch
        setText(state, live.state)
        set(state, 'class', `state ${live.state}`)
        paint(bar, live.shares)
        setText(hand, String(live.inHand))
        setText(restarts, String(live.epoch))
        const last = view?.restarts.at(-1)
        const why = last?.error.message ?? last?.error.code ?? last?.error.name ?? ''
        const text = last === undefined ? '' : `${clock(last.time)} ${last.counts ? '' : '(requested) '}${why}`
        setText(cause, text)
        set(cause, 'title', text)
        set(buttons, 'hidden', !canEnd)
      },
    }
  }
}
