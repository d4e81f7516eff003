import type { DeadLetterList, DeadLetterView } from '#src/control/index.js'
import { ask } from './api.ts'
import { byId, h, Keyed, set, setText } from './dom.ts'
import { clock, count } from './format.ts'

/** The dead letters of a pipeline, newest first, with replay. */
export class Letters {
  readonly #path: string
  readonly #act: (what: () => Promise<unknown>) => Promise<void>
  readonly #rows: Keyed<DeadLetterView>
  readonly #table: HTMLElement
  #known = ''

  constructor(pipeline: string, act: (what: () => Promise<unknown>) => Promise<void>) {
    this.#path = `pipelines/${encodeURIComponent(pipeline)}/dead-letters`
    this.#act = act
    const body = h('tbody')
    this.#rows = new Keyed(body, (letter) => this.#row(letter))
    const columns = ['', 'node', 'error', 'attempts', 'replay', ''].map((name) => h('th', { scope: 'col' }, name))
    this.#table = h('table', { class: 'letters' }, h('thead', {}, h('tr', {}, ...columns)), body)
    byId('letters').replaceChildren(this.#table)
  }

  /** Asks again where the total has changed, or a replay is under way. */
  async show(total: number): Promise<void> {
    const state = String(total)
    if (state === this.#known) return
    this.#known = state
    await this.refresh()
  }

  async refresh(): Promise<void> {
    const { total, deadLetters } = await ask<DeadLetterList>('GET', `${this.#path}?limit=50`)
    const isAll = total === deadLetters.length
    setText(byId('letters-count'), total === 0 ? '' : `${count(total)}${isAll ? '' : `, ${deadLetters.length} shown`}`)
    byId('letters-none').hidden = deadLetters.length > 0
    this.#table.hidden = deadLetters.length === 0
    this.#rows.show(deadLetters, ({ id }) => String(id))
    const isUnderWay = deadLetters.some(({ replay }) => replay?.state === 'waiting' || replay?.state === 'flowing')
    if (isUnderWay) setTimeout(() => void this.refresh().catch(() => undefined), 500)
  }

  #row({ id, node, time, canReplay }: DeadLetterView): { element: Element; update(letter: DeadLetterView): void } {
    const error = h('td', { class: 'cause' }, h('div', { class: 'two-lines' }))
    const [attempts, replay] = [h('td'), h('td', { class: 'state' })]
    const again = (what: () => Promise<unknown>) => (): void =>
      void this.#act(async () => {
        await what()
        await this.refresh()
      })
    const button = h(
      'button',
      {
        type: 'button',
        'aria-label': `Replay dead letter ${id}`,
        disabled: !canReplay,
        title: canReplay ? '' : 'Requires the run option `inject`',
        click: again(() => ask('POST', `${this.#path}/${id}/replay`)),
      },
      'Replay',
    )
    const forget = h(
      'button',
      {
        type: 'button',
        class: 'quiet',
        'aria-label': `Delete dead letter ${id}`,
        click: again(() => ask('DELETE', `${this.#path}/${id}`)),
      },
      'Delete',
    )
    const element = h(
      'tr',
      {},
      h('th', { scope: 'row' }, h('time', {}, clock(time))),
      h('td', {}, node),
      error,
      attempts,
      replay,
      h('td', { class: 'buttons' }, button, forget),
    )
    return {
      element,
      update: (letter) => {
        const { name, message, code } = letter.error
        const input = letter.input === undefined ? '' : ` ← ${JSON.stringify(letter.input)}`
        const text = `${code ?? name}${message === undefined ? '' : `: ${message}`}${input}`
        setText(error.firstElementChild!, text.slice(0, 300))
        set(error, 'title', text.slice(0, 2_000))
        setText(attempts, String(letter.attempts))
        setText(replay, letter.replay?.state ?? '')
        set(replay, 'class', `state ${letter.replay?.state ?? ''}`)
        set(button, 'disabled', !canReplay || letter.replay !== undefined)
      },
    }
  }
}
