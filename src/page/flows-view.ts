import type { FlowAnswer, FlowList } from '#src/flow-server/index.js'
import { ask } from './api.ts'
import { byId, h, Keyed, set, setText } from './dom.ts'
import { count } from './format.ts'
import { executeDialog } from './flow-execute.ts'
import { FlowRequests } from './flow-requests.ts'
import { act } from './notices.ts'
import { Poll } from './poll.ts'

/** All flows of the server, and the requests of one: polled while they are shown. */
export class FlowsView {
  readonly #rows: Keyed<FlowAnswer>
  #shown: FlowRequests | undefined
  /** The flow that was chosen last. */
  #wanted: string | undefined
  readonly #poll = new Poll(() => this.#look())

  constructor() {
    this.#rows = new Keyed(byId('flow-list'), ({ name }) => this.#row(name))
  }

  open(): void {
    this.#poll.open()
  }

  close(): void {
    this.#poll.close()
  }

  async #look(): Promise<void> {
    const { flows } = await ask<FlowList>('GET', 'flows')
    if (this.#wanted === undefined && flows[0] !== undefined) await this.#choose(flows[0].name)
    this.#rows.show(flows, ({ name }) => name)
    await this.#shown?.look()
  }

  async #choose(name: string): Promise<void> {
    if (this.#shown?.name === name && this.#wanted === name) return
    this.#wanted = name
    const graph = await FlowRequests.graphOf(name).catch((error: unknown) => {
      if (this.#wanted === name) this.#wanted = this.#shown?.name
      throw error
    })
    // Another one was chosen meanwhile: what is shown is what was chosen last.
    if (this.#wanted !== name) return
    this.#shown = new FlowRequests(name, graph)
    for (const button of byId('flow-list').querySelectorAll('button[data-flow]'))
      set(button, 'aria-pressed', String((button as HTMLElement).dataset['flow'] === name))
    await this.#shown.look()
  }

  async #execute(name: string): Promise<void> {
    const request = await executeDialog(name)
    if (request === undefined) return
    await this.#choose(name)
    if (this.#shown?.name === name) await this.#shown.choose(request.id)
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
