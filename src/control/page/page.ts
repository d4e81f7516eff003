import type { GraphAnswer, Live, LoggedEvent, PipelineList, PushedRecord } from '#src/control/index.js'
import { ApiError, ask, keepToken, watch } from './api.ts'
import { byId, h, setText } from './dom.ts'
import { clock, count, elapsed } from './format.ts'
import { GraphView } from './graph-view.ts'
import { Letters } from './letters.ts'
import { Histories, StagePanel } from './stage-panel.ts'

const MOST_EVENTS = 100

/** Does something, and says so where it fails. */
async function act(what: () => Promise<unknown>): Promise<void> {
  try {
    await what()
    notice('')
  } catch (error) {
    await complain(error)
  }
}

async function complain(error: unknown): Promise<void> {
  if (error instanceof ApiError && error.status === 401) await login()
  else notice(error instanceof Error ? error.message : String(error))
}

function notice(text: string): void {
  const place = byId('notice')
  setText(place, text)
  place.hidden = text === ''
}

/** Asks in a dialog; Escape is no. */
async function confirmed(text: string, yes: string): Promise<boolean> {
  const dialog = byId('ask') as HTMLDialogElement
  dialog.replaceChildren(
    h(
      'form',
      { method: 'dialog' },
      h('p', {}, text),
      h(
        'menu',
        {},
        h('button', { value: 'no', class: 'quiet' }, 'Cancel'),
        h('button', { value: 'yes', class: 'primary' }, yes),
      ),
    ),
  )
  dialog.returnValue = 'no'
  dialog.showModal()
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
  return dialog.returnValue === 'yes'
}

async function login(): Promise<void> {
  const dialog = byId('ask') as HTMLDialogElement
  const input = h('input', { type: 'password', id: 'token', autocomplete: 'current-password', required: true })
  dialog.replaceChildren(
    h(
      'form',
      { method: 'dialog' },
      h('label', { for: 'token' }, 'This API needs its token.'),
      input,
      h('menu', {}, h('button', { class: 'primary' }, 'Use it')),
    ),
  )
  if (!dialog.open) dialog.showModal()
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
  keepToken(input.value)
  location.reload()
}

/** One pipeline, shown until another is chosen. */
class PipelinePage {
  readonly #name: string
  readonly #path: string
  readonly #graph: GraphAnswer
  readonly #histories = new Histories()
  readonly #view: GraphView
  readonly #letters: Letters
  readonly #stop = new AbortController()
  #panel: StagePanel | undefined
  #live: Live | undefined
  #isChosen = false

  constructor(name: string, graph: GraphAnswer) {
    this.#name = name
    this.#path = `pipelines/${encodeURIComponent(name)}`
    this.#graph = graph
    this.#view = new GraphView(byId('graph'), graph, (node) => {
      this.#isChosen = true
      this.#choose(node)
    })
    this.#letters = new Letters(name, act)
    byId('events').replaceChildren()
    this.#acts()
    this.#pushForm()
    const listener = {
      snapshot: (live: Live) => this.#show(live),
      event: (event: LoggedEvent) => this.#tell(event),
      lost: (error: unknown) => void complain(error),
    }
    void watch(name, listener, this.#stop.signal)
  }

  close(): void {
    this.#stop.abort()
    this.#panel?.close()
  }

  #show(live: Live): void {
    if (this.#live === undefined) notice('')
    this.#live = live
    const { state, isPaused, elapsedMs, bottleneck } = live
    const status = byId('status')
    const text = isPaused && state === 'running' ? 'paused' : state
    status.replaceChildren(
      h('span', { class: `pill ${text}` }, text),
      h('span', { class: 'muted' }, elapsed(elapsedMs)),
    )
    byId('acts').querySelector('.pause')!.textContent = isPaused ? 'Resume' : 'Pause'
    for (const button of byId('acts').querySelectorAll('button'))
      button.disabled = state !== 'running' && state !== 'draining'
    sentence(bottleneck)
    this.#histories.add(live)
    this.#view.show(live)
    // Until somebody chooses, the stage that matters is shown.
    const first = bottleneck.node ?? live.stages[0]?.node
    if (!this.#isChosen && first !== undefined && this.#panel === undefined) this.#choose(first)
    this.#panel?.show(live)
    void this.#letters.show(live.deadLetters).catch(() => undefined)
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

  #tell({ name, time, fields }: LoggedEvent): void {
    const list = byId('events')
    const where = [fields['node'], fields['worker']].filter((part) => part !== undefined).join(' #')
    const { error, cause } = fields as {
      error?: { name: string; message?: string }
      cause?: { name: string; code?: string; message?: string }
    }
    const why = [error, cause].map((each) => each?.message ?? each?.name).find((each) => each !== undefined)
    list.prepend(
      h(
        'li',
        { class: name.split('.')[1] ?? '' },
        h('time', {}, clock(time)),
        h('b', {}, name),
        h('span', {}, [where, why].filter((part) => part !== undefined && part !== '').join(' – ')),
      ),
    )
    while (list.children.length > MOST_EVENTS) list.lastElementChild?.remove()
  }

  #acts(): void {
    const end = (name: 'drain' | 'stop', label: string, text: string): HTMLElement =>
      h(
        'button',
        {
          type: 'button',
          class: name === 'stop' ? 'danger' : '',
          click: () =>
            void act(async () => {
              if (await confirmed(text, label)) await ask('POST', `${this.#path}/${name}`, {})
            }),
        },
        label,
      )
    byId('acts').replaceChildren(
      h(
        'button',
        {
          type: 'button',
          class: 'pause',
          click: () =>
            void act(() => ask('POST', `${this.#path}/${this.#live?.isPaused === true ? 'resume' : 'pause'}`)),
        },
        'Pause',
      ),
      end(
        'drain',
        'Drain',
        `Drain ${this.#name}? Its sources make no more records, and it ends when all of theirs have. It does not start again by itself.`,
      ),
      end('stop', 'Stop', `Stop ${this.#name} now? What is on its way is nacked to its source.`),
    )
  }

  #pushForm(): void {
    const nodes = this.#graph.nodes.filter(({ kind }) => kind === 'source' || kind === 'transform' || kind === 'sink')
    const select = h('select', { id: 'push-node' }, ...nodes.map(({ id }) => h('option', { value: id }, id)))
    const text = h('textarea', { id: 'push-record', rows: 2, spellcheck: false, placeholder: '{ "id": 1 }' })
    const result = h('output', { for: 'push-record', class: 'muted' })
    const form = byId('push') as HTMLFormElement
    form.replaceChildren(
      h('label', { for: 'push-node' }, 'Into'),
      select,
      h('label', { for: 'push-record' }, 'Record, as JSON'),
      text,
      h('button', { type: 'submit' }, 'Push'),
      result,
    )
    form.onsubmit = (event) => {
      event.preventDefault()
      result.textContent = ''
      void act(async () => {
        const body = { node: select.value, record: JSON.parse(text.value) as unknown, waitMs: 5_000 }
        const { state, tookMs } = await ask<PushedRecord>('POST', `${this.#path}/records`, body)
        result.textContent = tookMs === undefined ? state : `${state} after ${count(Math.round(tookMs * 10) / 10)} ms`
      })
    }
  }
}

function parts(words: string): (string | HTMLElement)[] {
  return words.split('`').map((part, i) => (i % 2 === 1 ? h('code', {}, part) : part))
}

/** Ids are set apart from the words around them. */
function sentence({ sentence: text, remedy }: Live['bottleneck']): void {
  const place = byId('bottleneck')
  if (place.dataset['text'] === text + remedy) return
  place.dataset['text'] = text + remedy
  place.replaceChildren(
    h('p', { class: 'sentence' }, ...parts(`${text}.`)),
    h('p', { class: 'remedy' }, ...parts(remedy)),
  )
}

let shown: PipelinePage | undefined

async function open(name: string): Promise<void> {
  await act(async () => {
    const graph = await ask<GraphAnswer>('GET', `pipelines/${encodeURIComponent(name)}/graph`)
    shown?.close()
    shown = new PipelinePage(name, graph)
    document.title = `${name} · Millrace`
    for (const button of byId('pipelines').querySelectorAll('button')) {
      button.setAttribute('aria-pressed', String(button.dataset['name'] === name))
    }
  })
}

async function start(): Promise<void> {
  await act(async () => {
    const { pipelines } = await ask<PipelineList>('GET', 'pipelines')
    byId('pipelines').replaceChildren(
      ...pipelines.map(({ name }) =>
        h(
          'button',
          { type: 'button', 'data-name': name, click: () => (location.hash = encodeURIComponent(name)) },
          name,
        ),
      ),
    )
    const wanted = decodeURIComponent(location.hash.slice(1))
    const first = pipelines.find(({ name }) => name === wanted) ?? pipelines[0]
    if (first === undefined) notice('There is no pipeline here.')
    else await open(first.name)
  })
}

addEventListener('hashchange', () => void open(decodeURIComponent(location.hash.slice(1))))
await start()
