import { h, set, setText } from './dom.ts'
import { clock, count, duration } from './format.ts'
import type { FoundTrace } from './trace-data.ts'
import { VirtualList, type VirtualRow } from './virtual-list.ts'

const ROW_HEIGHT = 30

/** The found traces, one line each. */
export class TraceListView {
  readonly #list: VirtualList<FoundTrace>
  readonly #select: (trace: string) => void
  #traces: readonly FoundTrace[] = []
  #chosen: string | undefined
  #longest = 1

  /** @param onSeen told the last index that is seen */
  constructor(parent: HTMLElement, select: (trace: string) => void, onSeen: (last: number) => void) {
    this.#select = select
    this.#list = new VirtualList(parent, { rowHeight: ROW_HEIGHT, make: () => this.#row(), onSeen })
  }

  get isAtTop(): boolean {
    return this.#list.isAtTop
  }

  show(traces: readonly FoundTrace[]): void {
    this.#traces = traces
    this.#longest = traces.slice(0, 1_000).reduce((most, { durationMs }) => Math.max(most, durationMs), 0.001)
    this.#draw()
  }

  mark(trace: string | undefined): void {
    this.#chosen = trace
    this.#draw()
  }

  #draw(): void {
    this.#list.show(this.#traces.length, (index) => this.#traces[index])
  }

  #row(): VirtualRow<FoundTrace> {
    const [status, time, length, nodes, troubles] = [0, 1, 2, 3, 4].map(() => h('span', {})) as [
      HTMLElement,
      HTMLElement,
      HTMLElement,
      HTMLElement,
      HTMLElement,
    ]
    const bar = h('span', { class: 'trace-bar' })
    let shown = ''
    const choose = (): void => this.#select(shown)
    const element = h(
      'button',
      { type: 'button', class: 'trace-row', click: choose },
      status,
      time,
      length,
      bar,
      nodes,
      troubles,
    )
    const update = (trace: FoundTrace | undefined): void => {
      if (trace === undefined) return
      shown = trace.trace
      set(element, 'data-trace', shown)
      set(element, 'aria-pressed', String(shown === this.#chosen))
      set(status, 'class', `trace-status ${trace.status}`)
      setText(status, trace.status)
      setText(time, clock(trace.startedAt))
      setText(length, duration(trace.durationMs))
      bar.style.width = `${Math.max(2, Math.min(100, (100 * trace.durationMs) / this.#longest))}px`
      setText(nodes, trace.nodes.join(' → '))
      setText(troubles, trace.troubles > 0 ? `${count(trace.troubles)} failed` : trace.isIncomplete ? 'incomplete' : '')
    }
    return { element, update }
  }
}
