import type { GraphAnswer, Live, PipelineSummary } from '#src/control/index.js'
import { ask } from './api.ts'
import { byId, h } from './dom.ts'
import { act } from './notices.ts'

/** What holds a pipeline, and what helps; of one that failed, why it did. */
export class Sentence {
  readonly #path: string
  readonly #stages: ReadonlySet<string>
  readonly #pick: (node: string) => void
  readonly #place = byId('bottleneck')
  #told = ''

  /** @param path of the pipeline */
  constructor(path: string, { nodes }: GraphAnswer, pick: (node: string) => void) {
    this.#path = path
    this.#stages = new Set(nodes.filter(({ kind }) => kind !== 'buffer').map(({ id }) => id))
    this.#pick = pick
  }

  show({ state, bottleneck }: Live): void {
    const { node, sentence, remedy, resizeTo } = bottleneck
    const isFailed = state === 'failed'
    const told = isFailed ? state : `${sentence}${remedy}${resizeTo}`
    if (told === this.#told) return
    this.#told = told
    if (isFailed) void act(() => this.#tellFailure())
    else {
      const buttons = node === undefined || resizeTo === undefined ? [] : [this.#resize(node, resizeTo)]
      this.#tell(this.#parts(`${sentence}.`), [...this.#parts(remedy), ...buttons])
    }
  }

  /** Does what the remedy says. */
  #resize(node: string, workers: number): HTMLElement {
    const path = `${this.#path}/stages/${encodeURIComponent(node)}/resize`
    const button = h('button', { type: 'button', class: 'resize' }, `Resize to ${workers} workers`)
    button.addEventListener('click', () => {
      button.disabled = true
      void act(() => ask('POST', path, { workers })).finally(() => (button.disabled = false))
    })
    return button
  }

  /** Ids are set apart from the words around them; those of stages lead to them. */
  #parts(words: string): (string | HTMLElement)[] {
    return words.split('`').map((part, i) => {
      if (i % 2 === 0) return part
      const code = h('code', {}, part)
      if (!this.#stages.has(part)) return code
      return h('button', { type: 'button', class: 'to-stage', click: () => this.#pick(part) }, code)
    })
  }

  async #tellFailure(): Promise<void> {
    const { error } = await ask<PipelineSummary>('GET', this.#path)
    const code = h('code', {}, error?.code ?? error?.name ?? 'unknown')
    this.#tell(['It failed: ', code], [error?.message ?? ''])
  }

  #tell(sentence: readonly (string | HTMLElement)[], remedy: readonly (string | HTMLElement)[]): void {
    this.#place.replaceChildren(h('p', { class: 'sentence' }, ...sentence), h('p', { class: 'remedy' }, ...remedy))
  }
}
