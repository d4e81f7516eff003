import type { GraphAnswer } from '#src/control/index.js'
import type { RequestAnswer } from '#src/flow-server/index.js'
import { ApiError, ask } from './api.ts'
import { h, set, setText } from './dom.ts'
import { duration } from './format.ts'
import { stepBars } from './flow-steps.ts'
import { flowWaterfall } from './flow-waterfall.ts'
import type { GraphView } from './graph-view.ts'
import { act, confirmed } from './notices.ts'

/** Of an answer, so many characters are shown. */
const MOST_SHOWN = 2_000

type Command = 'pause' | 'resume' | 'stop' | 'replay'

/** One request: its state, what its steps did and waited for, and what can be done with it. */
export class FlowRequestPanel {
  readonly #path: string
  readonly #graph: GraphAnswer
  readonly #view: GraphView
  readonly #choose: (id: string) => Promise<void>
  readonly #title = h('h2')
  readonly #pill = h('span', { class: 'pill' })
  readonly #facts = h('p', { class: 'muted' })
  readonly #waterfall = h('div')
  readonly #outcome = h('pre', { class: 'outcome' })
  readonly #buttons: Readonly<Record<Command, HTMLButtonElement>>
  #id: string | undefined
  #seen = ''

  /** @param choose shows another request of the flow */
  constructor(
    element: HTMLElement,
    { path, graph, view }: { readonly path: string; readonly graph: GraphAnswer; readonly view: GraphView },
    choose: (id: string) => Promise<void>,
  ) {
    this.#path = path
    this.#graph = graph
    this.#view = view
    this.#choose = choose
    const button = (command: Command, text: string, kind = ''): HTMLButtonElement =>
      h('button', { type: 'button', class: kind, click: () => void act(() => this.#do(command)) }, text)
    this.#buttons = {
      pause: button('pause', 'Pause'),
      resume: button('resume', 'Resume'),
      stop: button('stop', 'Stop', 'danger'),
      replay: button('replay', 'Replay from where it failed', 'primary'),
    }
    element.replaceChildren(
      h('div', { class: 'head' }, this.#title, this.#pill),
      this.#facts,
      h('div', { class: 'commands' }, ...Object.values(this.#buttons)),
      this.#waterfall,
      this.#outcome,
    )
    void this.show(undefined)
  }

  /** Shows a request as it is now; none, or one that is not known any more, as such. */
  async show(id: string | undefined): Promise<void> {
    this.#id = id
    const request = id === undefined ? undefined : await this.#ask(id)
    if (this.#id !== id) return
    // Drawn only where something has changed: what is selected stays so.
    const seen = JSON.stringify(request) ?? ''
    if (seen === this.#seen && seen !== '') return
    this.#seen = seen
    setText(this.#title, id === undefined ? 'No request' : `Request ${id}`)
    set(this.#pill, 'class', `pill ${request?.state ?? ''}`)
    setText(this.#pill, request?.state ?? '')
    this.#pill.hidden = request === undefined
    this.#enable(request)
    setText(this.#facts, request === undefined ? '' : factsOf(request))
    setText(this.#outcome, request === undefined ? '' : outcomeOf(request))
    if (request === undefined) {
      this.#waterfall.replaceChildren()
      return this.#view.light(undefined)
    }
    const bars = stepBars(this.#graph, request)
    this.#waterfall.replaceChildren(flowWaterfall(request, bars))
    this.#light(request, bars)
  }

  async #ask(id: string): Promise<RequestAnswer | undefined> {
    try {
      return await ask<RequestAnswer>('GET', `${this.#path}/requests/${encodeURIComponent(id)}`)
    } catch (error) {
      if (error instanceof ApiError && error.code === 'REQUEST_UNKNOWN') return undefined
      throw error
    }
  }

  #enable(request: RequestAnswer | undefined): void {
    const { pause, resume, stop, replay } = this.#buttons
    const state = request?.state
    const [keeps, isOpen] = [request?.steps !== undefined, request?.isOpen === true]
    pause.disabled = !isOpen || !keeps || (state !== 'running' && state !== 'queued')
    resume.disabled = !keeps || state !== 'paused'
    stop.disabled = !isOpen
    replay.disabled = isOpen || !keeps || state === undefined || state === 'succeeded'
    pause.title = keeps || request === undefined ? '' : 'Requires the setting `keepSteps` of the flow'
  }

  async #do(command: Command): Promise<void> {
    const id = this.#id!
    if (command === 'stop' && !(await confirmed(`Stop request ${id}? No further step of it is called.`, 'Stop'))) return
    const path = `${this.#path}/requests/${encodeURIComponent(id)}/${command}`
    const { id: shown } = await ask<RequestAnswer>('POST', path)
    await this.#choose(shown)
  }

  /** The way of the request on the drawing: steps that were called, with their times. */
  #light(request: RequestAnswer, bars: ReturnType<typeof stepBars>): void {
    const texts = new Map<string, string>()
    for (const { node } of bars) {
      const all = bars.filter((bar) => bar.node === node)
      const ms = all.reduce((sum, bar) => sum + bar.endMs - bar.startMs, 0)
      texts.set(node, `${all.length > 1 ? `${all.length} × ` : ''}${duration(ms / all.length)}`)
    }
    const nodes = new Set(['request', ...texts.keys(), ...(request.state === 'succeeded' ? ['answer'] : [])])
    for (const { id, kind } of this.#graph.nodes) {
      if (kind !== 'conditional') continue
      const before = this.#graph.edges.filter(({ to }) => to === id)
      if (before.some(({ from }) => nodes.has(from))) nodes.add(id)
    }
    const edges = this.#graph.edges.flatMap((edge, i) =>
      (edge as { readonly pathType?: string }).pathType !== 'error' && nodes.has(edge.from) && nodes.has(edge.to)
        ? [i]
        : [],
    )
    this.#view.light(nodes.size > 1 ? { nodes, edges: new Set(edges) } : undefined)
    this.#view.tell(texts, new Map())
  }
}

function factsOf({ createdAt, startedAt, endedAt, replayOf, instance }: RequestAnswer): string {
  const [created, started] = [Date.parse(createdAt), startedAt === undefined ? undefined : Date.parse(startedAt)]
  return [
    `asked ${new Date(createdAt).toLocaleString('en-GB')}`,
    ...(started === undefined ? [] : [`queued ${duration(started - created)}`]),
    ...(started === undefined || endedAt === undefined ? [] : [`ran ${duration(Date.parse(endedAt) - started)}`]),
    ...(replayOf === undefined ? [] : [`a replay of ${replayOf}`]),
    ...(instance === undefined ? [] : [`on ${instance}`]),
  ].join(', ')
}

function outcomeOf({ answer, error }: RequestAnswer): string {
  if (error !== undefined)
    return [error.code, error.step === undefined ? '' : `at ${error.step}`, error.reason ?? '']
      .filter(Boolean)
      .join(' ')
  if (answer === undefined) return ''
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer, undefined, 2)
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)} …`
}
