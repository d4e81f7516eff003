import type { StageView } from '#src/control/index.js'
import { ask } from './api.ts'
import { h, setText } from './dom.ts'

/** Changes the rate limit of one stage, and pauses it where it is a source. */
export class LimitForm {
  readonly element: HTMLElement
  readonly #input = h('input', { type: 'number', min: 0, step: 'any', id: 'rate-limit', placeholder: 'no limit' })
  readonly #pause = h('button', { type: 'button' }, 'Pause source')
  #view: StageView | undefined

  /**
   * @param path of the stage
   * @param source path of the same as a source, where it is one
   * @param act does something, and says so where it fails; then the stage is asked for again
   */
  constructor(path: string, source: string | undefined, act: (what: () => Promise<unknown>) => Promise<void>) {
    const set = (event: Event): void => {
      event.preventDefault()
      const perSecond = this.#input.value === '' ? null : Number(this.#input.value)
      void act(() => ask('PUT', `${path}/rate-limit`, { perSecond }))
    }
    const asPlanned = (): void => {
      this.#input.blur()
      void act(() => ask('DELETE', `${path}/rate-limit`))
    }
    this.#pause.addEventListener('click', () => {
      const name = this.#view?.isPaused === true ? 'resume' : 'pause'
      void act(() => ask('POST', `${source}/${name}`))
    })
    this.element = h(
      'form',
      { class: 'limit', submit: set },
      ...(source === undefined ? [] : [this.#pause]),
      h('label', { for: 'rate-limit' }, 'Rate limit, records/s'),
      this.#input,
      h('button', { type: 'submit' }, 'Set'),
      h('button', { type: 'button', class: 'quiet', click: asPlanned }, 'Reset'),
    )
  }

  show(view: StageView): void {
    this.#view = view
    const { rateLimit: limit, isPaused } = view
    const text = limit === null ? '' : String(limit)
    // What somebody writes just now is left alone.
    if (document.activeElement !== this.#input && this.#input.value !== text) this.#input.value = text
    setText(this.#pause, isPaused === true ? 'Resume source' : 'Pause source')
  }
}
