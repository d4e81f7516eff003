import type { GraphAnswer } from '#src/control/index.js'
import { h } from './dom.ts'
import type { TraceQuery } from './trace-data.ts'

const KINDS = ['', 'retry', 'fail', 'dead', 'drop', 'filter', 'batch', 'emit']

/** What is looked for. Every field is a parameter of the API by its name. */
export class TraceForm {
  readonly element: HTMLFormElement
  /** What no field stands for: a place of the heat strip, a bucket of a histogram. */
  #beside: TraceQuery = {}
  readonly #chips = h('span', { class: 'chips' })
  readonly #onSearch: (query: TraceQuery) => void

  constructor({ nodes }: GraphAnswer, onSearch: (query: TraceQuery) => void) {
    this.#onSearch = onSearch
    this.element = h(
      'form',
      {
        class: 'trace-form',
        role: 'search',
        submit: (event) => {
          event.preventDefault()
          this.#search()
        },
      },
      choice('status', 'Status', ['', 'ok', 'failed', 'open']),
      choice('node', 'Through', ['', ...nodes.map(({ id }) => id)]),
      choice('kind', 'With', KINDS),
      field('minMs', 'At least ms', { inputmode: 'decimal', pattern: String.raw`\d*\.?\d+` }),
      field('attr', 'Attribute', { placeholder: 'name=value' }),
      field('error', 'Error', { placeholder: 'text, * is any' }),
      field('record', 'Record', { size: 17, pattern: '[0-9a-f]{16}(:[0-9]{1,10})?' }),
      h('button', { class: 'primary' }, 'Search'),
      this.#chips,
    )
    for (const select of this.element.querySelectorAll('select')) select.onchange = () => this.#search()
  }

  /** Looks for this beside what the fields say. */
  narrow(beside: TraceQuery, text: string): void {
    this.#beside = beside
    this.#chips.replaceChildren(
      h(
        'button',
        { type: 'button', class: 'chip', title: 'Look at all again', click: () => this.#widen() },
        `${text} ✕`,
      ),
    )
    this.#search()
  }

  get query(): TraceQuery {
    const fields = [...new FormData(this.element)].map(([name, value]) => [
      name,
      typeof value === 'string' ? value.trim() : '',
    ])
    return { ...(Object.fromEntries(fields.filter(([, value]) => value !== '')) as TraceQuery), ...this.#beside }
  }

  #widen(): void {
    this.#beside = {}
    this.#chips.replaceChildren()
    this.#search()
  }

  #search(): void {
    this.#onSearch(this.query)
  }
}

function field(name: string, label: string, given: Readonly<Record<string, string | number>> = {}): HTMLElement {
  return h('label', {}, label, h('input', { name, size: 9, autocomplete: 'off', ...given }))
}

function choice(name: string, label: string, values: readonly string[]): HTMLElement {
  return h('label', {}, label, h('select', { name }, ...values.map((value) => h('option', { value }, value || 'any'))))
}
