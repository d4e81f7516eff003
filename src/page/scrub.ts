import type { MomentAnswer } from '#src/control/index.js'
import { ask } from './api.ts'
import { h, setText } from './dom.ts'
import { clock, count } from './format.ts'
import type { FoundTrace } from './trace-data.ts'

/** Places of the slider: the first and the last begin of what was found lie at its ends. */
const STEPS = 1_000

/** Goes to any moment of what was traced: how full edges were and what was in hand stands on the graph then. */
export class Scrub {
  readonly element: HTMLElement
  readonly #path: string
  readonly #slider = h('input', { type: 'range', min: 0, max: STEPS, value: STEPS, 'aria-label': 'Moment' })
  readonly #text = h('span', { class: 'muted' })
  readonly #show: (moment: MomentAnswer) => void
  #from = 0
  #to = 0
  #wanted: number | undefined
  #isAsking = false

  constructor(pipeline: string, show: (moment: MomentAnswer) => void) {
    this.#path = `pipelines/${encodeURIComponent(pipeline)}/moment`
    this.#show = show
    this.element = h('label', { class: 'scrub' }, this.#slider, this.#text)
    this.#slider.addEventListener('input', () => {
      this.#wanted = this.#from + (Number(this.#slider.value) / STEPS) * (this.#to - this.#from)
      void this.#ask()
    })
  }

  /** What can be gone through. */
  over(traces: readonly FoundTrace[]): void {
    this.#from = traces.reduce((least, { startedAt }) => Math.min(least, startedAt), Infinity)
    this.#to = traces.reduce((most, { startedAt, durationMs }) => Math.max(most, startedAt + durationMs), -Infinity)
    this.#slider.disabled = traces.length === 0
  }

  /** One question at a time, and the last one that was wanted. */
  async #ask(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    try {
      while (this.#wanted !== undefined) {
        const at = this.#wanted
        this.#wanted = undefined
        const moment = await ask<MomentAnswer>('GET', `${this.#path}?at=${at}`)
        setText(this.#text, `${clock(at)}: ${count(moment.open)} traces open`)
        this.#show(moment)
      }
    } catch {
      setText(this.#text, 'The traces do not say.')
    } finally {
      this.#isAsking = false
    }
  }
}
