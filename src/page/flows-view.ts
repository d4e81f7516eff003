import type { FlowAnswer, FlowList } from '#src/flow-server/index.js'
import { ask } from './api.ts'
import { byId, h, Keyed, set, setText } from './dom.ts'
import { count } from './format.ts'
import { executeDialog } from './flow-execute.ts'
import { FlowRequests } from './flow-requests.ts'
import { act, complain, notice } from './notices.ts'

const LOOK_MS = 1_000

/** All flows of the server, and the requests of one: looked at once a second while they are shown. */
export class FlowsView {
  readonly #rows: Keyed<FlowAnswer>
  #shown: FlowRequests | undefined
  #timer: ReturnType<typeof setInterval> | undefined
  #isLost = false

  constructor() {
    this.#rows = new Keyed(byId('flow-list'), ({ name }) => this.#row(name))
  }

  open(): void {
    this.close()
    this.#timer = setInterval(() => void (document.hidden || this.#look()), LOOK_MS)
    void this.#look()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    try {
      const { flows } = await ask<FlowList>('GET', 'flows')
      if (this.#shown === undefined && flows[0] !== undefined) await this.#choose(flows[0].name)
      this.#rows.show(flows, ({ name }) => name)
      await this.#shown?.look()
      if (this.#isLost) notice('')
      this.#isLost = false
    } catch (error) {
      this.#isLost = true
      await complain(error)
    }
  }

  async #choose(name: string): Promise<void> {
    if (this.#shown?.name === name) return
    this.#shown = await FlowRequests.of(name)
    for (const button of byId('flow-list').querySelectorAll('button[data-flow]'))
      set(button, 'aria-pressed', String((button as HTMLElement).dataset['flow'] === name))
    await this.#shown.look()
  }

  async #execute(name: string): Promise<void> {
    const request = await executeDialog(name)
    if (request === undefined) return
    await this.#choose(name)
    await this.#shown!.choose(request.id)
  }

  #row(name: string): { element: HTMLElement; update(flow: FlowAnswer): void } {
    const choose = h(
      'button',
      { type: 'button', 'data-flow': name, click: () => void act(() => this.#choose(name)) },
      name,
    )
    const pill = h('span', { class: 'pill' })
    const cells = Array.from({ length: 3 }, () => h('td'))
    const execute = h(
      'button',
      { type: 'button', 'aria-label': `Execute ${name}`, click: () => void act(() => this.#execute(name)) },
      'Execute…',
    )
    return {
      element: h(
        'tr',
        {},
        h('th', { scope: 'row' }, choose),
        h('td', {}, pill),
        ...cells,
        h('td', { class: 'buttons' }, execute),
      ),
      update: ({ state, open, queued, steps }) => {
        set(choose, 'aria-pressed', String(this.#shown?.name === name))
        set(pill, 'class', `pill ${state}`)
        setText(pill, state)
        for (const [i, figure] of [open, queued, steps.length].entries()) setText(cells[i]!, count(figure))
      },
    }
  }
}
