import type { Live } from '#src/control/index.js'
import { ask } from './api.ts'
import { byId, h, set, setText } from './dom.ts'
import { count, elapsed, rate } from './format.ts'
import { act, confirmed } from './notices.ts'

/** The head of the page: how a pipeline fares, and what can be done with the whole of it. */
export class PageHead {
  readonly #path: string
  readonly #pill = h('span', { class: 'pill' })
  readonly #elapsed = h('span', { class: 'muted elapsed' })
  readonly #acked = h('span', { class: 'muted' })
  readonly #inFlight = h('span', { class: 'muted' })
  readonly #pause = h('button', { type: 'button', class: 'pause', click: () => void this.#pauseOrResume() }, 'Pause')
  readonly #buttons: readonly HTMLElement[]
  #isPaused = false

  /** @param path of the pipeline */
  constructor(name: string, path: string) {
    this.#path = path
    const [drain, stop] = [
      `Drain ${name}? Its sources make no more records, and it ends when all records have ended. It does not restart.`,
      `Stop ${name} now? Records in flight are reported to their source as failed.`,
    ]
    this.#buttons = [this.#pause, this.#end('drain', 'Drain', drain), this.#end('stop', 'Stop', stop)]
    byId('status').replaceChildren()
    byId('commands').replaceChildren(...this.#buttons)
  }

  show({ state, isPaused, elapsedMs, totals: { acked, ackedPerSecond, inFlight }, drain }: Live): void {
    this.#isPaused = isPaused
    const text = isPaused && state === 'running' ? 'paused' : state
    set(this.#pill, 'class', `pill ${text}`)
    setText(this.#pill, text)
    setText(this.#elapsed, elapsed(elapsedMs))
    setText(this.#acked, `${count(acked)} acked, ${rate(ackedPerSecond)}`)
    setText(
      this.#inFlight,
      drain ? `${count(drain.left)} of ${count(drain.atFirst)} left` : `${count(inFlight)} in flight`,
    )
    if (!this.#pill.isConnected) byId('status').replaceChildren(this.#pill, this.#elapsed, this.#acked, this.#inFlight)
    setText(this.#pause, isPaused ? 'Resume' : 'Pause')
    for (const button of this.#buttons) set(button, 'disabled', state !== 'running' && state !== 'draining')
  }

  #pauseOrResume(): Promise<void> {
    return act(() => ask('POST', `${this.#path}/${this.#isPaused ? 'resume' : 'pause'}`))
  }

  #end(name: 'drain' | 'stop', label: string, text: string): HTMLElement {
    const click = async (): Promise<void> => {
      if (await confirmed(text, label)) await act(() => ask('POST', `${this.#path}/${name}`, {}))
    }
    return h('button', { type: 'button', class: name === 'stop' ? 'danger' : '', click: () => void click() }, label)
  }
}
