import type { GraphAnswer, Live, LoggedEvent, PipelineSummary } from '#src/control/index.js'
import { ApiError, ask, watch } from './api.ts'
import { byId, h, setText } from './dom.ts'
import { EventList } from './event-list.ts'
import { count, elapsed, rate } from './format.ts'
import { GraphView } from './graph-view.ts'
import { Histories } from './histories.ts'
import { Letters } from './letters.ts'
import { act, complain, confirmed, notice } from './notices.ts'
import { pushForm } from './push-form.ts'
import { StagePanel } from './stage-panel.ts'

/** One pipeline, shown until another is chosen. */
export class PipelineView {
  readonly #name: string
  readonly #path: string
  readonly #graph: GraphAnswer
  readonly #histories = new Histories()
  readonly #view: GraphView
  readonly #letters: Letters
  readonly #events = new EventList()
  readonly #stop = new AbortController()
  #panel: StagePanel | undefined
  #live: Live | undefined
  /** Somebody looks at this stage; until then the bottleneck is shown, wherever it is. */
  #isChosen = false
  #isLost = false

  constructor(name: string, graph: GraphAnswer) {
    this.#name = name
    this.#path = `pipelines/${encodeURIComponent(name)}`
    this.#graph = graph
    const whole = byId('whole') as HTMLButtonElement
    this.#view = new GraphView(byId('graph'), whole, graph, (node) => this.#pick(node))
    this.#letters = new Letters(name, act)
    this.#acts()
    pushForm(this.#path, graph)
    for (const kind of ['pointerdown', 'focusin'])
      byId('stage').addEventListener(kind, () => (this.#isChosen = true), { signal: this.#stop.signal })
    const listener = {
      snapshot: (live: Live) => this.#show(live),
      event: (event: LoggedEvent) => this.#events.add(event),
      lost: (error: unknown) => this.#lose(error),
    }
    void watch(name, listener, this.#stop.signal)
  }

  close(): void {
    this.#stop.abort()
    this.#panel?.close()
    byId('push').replaceChildren()
  }

  #show(live: Live): void {
    this.#find()
    const { state, isPaused, elapsedMs, bottleneck, totals } = live
    const text = isPaused && state === 'running' ? 'paused' : state
    const { acked, ackedPerSecond, inFlight } = totals
    byId('status').replaceChildren(
      h('span', { class: `pill ${text}` }, text),
      h('span', { class: 'muted elapsed' }, elapsed(elapsedMs)),
      h('span', { class: 'muted' }, `${count(acked)} acked, ${rate(ackedPerSecond)}`),
      h('span', { class: 'muted' }, `${count(inFlight)} in flight`),
    )
    byId('acts').querySelector('.pause')!.textContent = isPaused ? 'Resume' : 'Pause'
    for (const button of byId('acts').querySelectorAll('button'))
      button.disabled = state !== 'running' && state !== 'draining'
    if (state !== 'failed') this.#sentence(bottleneck)
    else if (this.#live?.state !== 'failed') void act(() => this.#tellFailure())
    this.#live = live
    this.#histories.add(live)
    this.#view.show(live)
    const first = bottleneck.node ?? live.stages[0]?.node
    if (!this.#isChosen && first !== undefined) this.#choose(first)
    this.#panel?.show(live)
    void this.#letters.show(live.deadLetters).catch(() => undefined)
  }

  /** Figures of a connection that is lost are old: they are greyed until it is back. */
  #lose(error: unknown): void {
    this.#isLost = true
    document.body.classList.add('lost')
    if (error instanceof ApiError) void complain(error)
    else notice('The connection is lost; it is tried again every second.')
  }

  #find(): void {
    if (this.#isLost || this.#live === undefined) notice('')
    this.#isLost = false
    document.body.classList.remove('lost')
  }

  #pick(node: string): void {
    this.#isChosen = true
    this.#choose(node)
  }

  #choose(node: string): void {
    if (this.#panel?.node === node) return
    this.#panel?.close()
    this.#panel = new StagePanel(byId('stage'), node, {
      pipeline: this.#name,
      graph: this.#graph,
      histories: this.#histories,
      act,
      confirm: confirmed,
    })
    this.#view.mark(node)
    if (this.#live !== undefined) this.#panel.show(this.#live)
  }

  /** Ids are set apart from the words around them; those of stages lead to them. */
  #sentence({ sentence, remedy }: Live['bottleneck']): void {
    const place = byId('bottleneck')
    if (place.dataset['text'] === sentence + remedy) return
    place.dataset['text'] = sentence + remedy
    const stages = new Set(this.#graph.nodes.filter(({ kind }) => kind !== 'buffer').map(({ id }) => id))
    const parts = (words: string): (string | HTMLElement)[] =>
      words.split('`').map((part, i) => {
        if (i % 2 === 0) return part
        const code = h('code', {}, part)
        if (!stages.has(part)) return code
        return h('button', { type: 'button', class: 'to-stage', click: () => this.#pick(part) }, code)
      })
    place.replaceChildren(
      h('p', { class: 'sentence' }, ...parts(`${sentence}.`)),
      h('p', { class: 'remedy' }, ...parts(remedy)),
    )
  }

  async #tellFailure(): Promise<void> {
    const { error } = await ask<PipelineSummary>('GET', this.#path)
    const place = byId('bottleneck')
    delete place.dataset['text']
    place.replaceChildren(
      h('p', { class: 'sentence' }, 'It failed: ', h('code', {}, error?.code ?? error?.name ?? 'unknown')),
      h('p', { class: 'remedy' }, error?.message ?? ''),
    )
  }

  #acts(): void {
    const end = (name: 'drain' | 'stop', label: string, text: string): HTMLElement => {
      const click = async (): Promise<void> => {
        if (await confirmed(text, label)) await act(() => ask('POST', `${this.#path}/${name}`, {}))
      }
      return h('button', { type: 'button', class: name === 'stop' ? 'danger' : '', click: () => void click() }, label)
    }
    const pause = (): Promise<void> =>
      act(() => ask('POST', `${this.#path}/${this.#live?.isPaused === true ? 'resume' : 'pause'}`))
    const button = h('button', { type: 'button', class: 'pause', click: () => void pause() })
    setText(button, 'Pause')
    byId('acts').replaceChildren(
      button,
      end(
        'drain',
        'Drain',
        `Drain ${this.#name}? Its sources make no more records, and it ends when all of theirs have. It does not start again by itself.`,
      ),
      end('stop', 'Stop', `Stop ${this.#name} now? What is on its way is nacked to its source.`),
    )
  }
}
