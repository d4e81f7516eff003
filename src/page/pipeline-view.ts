import type { FiguresAnswer, GraphAnswer, Live, LoggedEvent } from '#src/control/index.js'
import { ApiError, watch } from './api.ts'
import { byId } from './dom.ts'
import { EventLines } from './event-list.ts'
import { framed } from './frame.ts'
import type { FindTraces } from './exemplars.ts'
import { GraphView } from './graph-view.ts'
import { PageHead } from './head.ts'
import { Histories } from './histories.ts'
import { Letters } from './letters.ts'
import { act, complain, confirmed, notice } from './notices.ts'
import { pushForm } from './push-form.ts'
import { Sentence } from './sentence.ts'
import { StagePanel } from './stage-panel.ts'

/** One pipeline, shown until another is chosen. What is sent is kept at once, and drawn with the next frame. */
export class PipelineView {
  readonly #name: string
  readonly #graph: GraphAnswer
  readonly #figures: FiguresAnswer
  readonly #histories = new Histories()
  readonly #head: PageHead
  readonly #sentence: Sentence
  readonly #view: GraphView
  readonly #letters: Letters
  readonly #events = new EventLines()
  readonly #stop = new AbortController()
  readonly #findTraces: FindTraces
  #panel: StagePanel | undefined
  #live: Live | undefined
  /** Somebody looks at this stage; until then the bottleneck is shown, wherever it is. */
  #isChosen = false
  #isLost = false

  /** @param find shows traces that are as a search says */
  constructor(name: string, graph: GraphAnswer, figures: FiguresAnswer, find: FindTraces) {
    this.#findTraces = find
    const path = `pipelines/${encodeURIComponent(name)}`
    const pick = (node: string): void => this.#pick(node)
    this.#name = name
    this.#graph = graph
    this.#figures = figures
    this.#head = new PageHead(name, path)
    this.#sentence = new Sentence(path, graph, pick)
    this.#view = new GraphView(byId('graph'), byId('whole') as HTMLButtonElement, graph, pick)
    this.#letters = new Letters(name, act)
    pushForm(path, graph)
    for (const kind of ['pointerdown', 'focusin'])
      byId('stage').addEventListener(kind, () => (this.#isChosen = true), { signal: this.#stop.signal })
    this.#follow()
  }

  close(): void {
    this.#stop.abort()
    byId('push').replaceChildren()
  }

  #follow(): void {
    const isOpen = (): boolean => !this.#stop.signal.aborted
    const draw = framed(() => isOpen() && this.#draw())
    const drawEvents = framed(() => isOpen() && this.#events.draw())
    const listener = {
      snapshot: (live: Live) => {
        this.#find()
        this.#live = live
        this.#histories.add(live)
        draw()
      },
      event: (event: LoggedEvent) => {
        this.#events.add(event)
        drawEvents()
      },
      lost: (error: unknown) => this.#lose(error),
    }
    void watch(this.#name, listener, this.#stop.signal)
  }

  #draw(): void {
    const live = this.#live!
    this.#head.show(live)
    this.#sentence.show(live)
    this.#view.show(live)
    const first = live.bottleneck.node ?? live.stages[0]?.node
    if (!this.#isChosen && first !== undefined) this.#choose(first)
    this.#panel?.show(live)
    void this.#letters.show(live.deadLetters).catch(() => undefined)
  }

  /** Figures of a connection that is lost are old: they are greyed until it is back. */
  #lose(error: unknown): void {
    this.#isLost = true
    document.body.classList.add('lost')
    if (error instanceof ApiError) void complain(error)
    else notice('Connection lost. Retrying every second.')
  }

  #find(): void {
    if (!this.#isLost && this.#live !== undefined) return
    this.#isLost = false
    document.body.classList.remove('lost')
    notice('')
  }

  #pick(node: string): void {
    this.#isChosen = true
    this.#choose(node)
    if (this.#live !== undefined) this.#panel?.show(this.#live)
  }

  #choose(node: string): void {
    if (this.#panel?.node === node) return
    this.#panel = new StagePanel(byId('stage'), node, {
      pipeline: this.#name,
      graph: this.#graph,
      figures: this.#figures,
      histories: this.#histories,
      act,
      confirm: confirmed,
      find: this.#findTraces,
    })
    this.#view.mark(node)
  }
}
