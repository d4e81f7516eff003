import type { ImportKindView, ImportList, ImportRunView, ImportView } from '#src/control/index.js'
import { ask } from './api.ts'
import { byId, h, Keyed, set, setText } from './dom.ts'
import { count, duration, elapsed } from './format.ts'
import { act } from './notices.ts'
import { Poll } from './poll.ts'

/** All imports that serve: polled while they are shown. */
export class ImportsView {
  readonly #cards: Keyed<ImportView>
  readonly #poll = new Poll(() => this.#look())

  constructor() {
    this.#cards = new Keyed(byId('imports'), (view) => new ImportCard(view, () => this.#poll.now()))
  }

  open(): void {
    this.#poll.open()
  }

  close(): void {
    this.#poll.close()
  }

  async #look(): Promise<void> {
    const { imports } = await ask<ImportList>('GET', 'imports')
    this.#cards.show(imports, ({ name }) => name)
  }
}

/** One directory: how it fares, its kinds, its last runs. */
class ImportCard {
  readonly element: HTMLElement
  readonly #path: string
  readonly #look: () => Promise<void>
  readonly #pill = h('span', { class: 'pill' })
  readonly #next = h('span', { class: 'muted' })
  readonly #pause = h('button', { type: 'button', click: () => void this.#pauseOrResume() })
  readonly #bar = h('progress', { max: '1', hidden: true, 'aria-label': 'Bytes imported' })
  readonly #progress = h('p', { class: 'muted', role: 'status' })
  readonly #problem = h('p', { class: 'bad' })
  readonly #kinds: Keyed<ImportKindView>
  readonly #runs: Keyed<ImportRunView>
  #isPaused = false

  constructor({ name, directory }: ImportView, look: () => Promise<void>) {
    this.#path = `imports/${encodeURIComponent(name)}`
    this.#look = look
    const run = h('button', { type: 'button', class: 'primary', click: () => void this.#ask('run') }, 'Run now')
    const kinds = table(['kind', 'table', 'rows', 'files', 'dead letters', 'columns changed', 'last read', 'state', ''])
    const runs = table(['started', 'took', 'outcome', 'files', 'unchanged', 'rows', 'dead letters', 'columns changed'])
    this.#kinds = new Keyed(kinds.body, (kind) => kindRow(kind, (command) => void this.#ask(command, kind.name)))
    this.#runs = new Keyed(runs.body, runRow)
    this.element = h(
      'section',
      { class: 'card import', 'aria-label': `Import ${name}` },
      h('div', { class: 'head' }, h('h2', {}, name), this.#pill, this.#next),
      h('p', { class: 'muted' }, directory),
      this.#problem,
      h('div', { class: 'commands' }, run, this.#pause),
      this.#bar,
      this.#progress,
      h('h3', {}, 'Kinds'),
      h('div', { class: 'scroll' }, kinds.element),
      h('h3', {}, 'Last runs'),
      h('div', { class: 'scroll' }, runs.element),
    )
  }

  update({ state, nextRun, progress, problem, kinds, runs }: ImportView): void {
    this.#isPaused = state === 'paused'
    set(this.#pill, 'class', `pill ${state}`)
    setText(this.#pill, state)
    setText(this.#next, nextRun === null ? '' : `next run ${when(nextRun)}`)
    setText(this.#pause, this.#isPaused ? 'Resume' : 'Pause')
    setText(this.#problem, problem ?? '')
    set(this.#bar, 'hidden', progress === null || progress.phase !== 'importing')
    if (progress !== null) set(this.#bar, 'value', String(shareOf(progress)))
    setText(this.#progress, progress === null ? '' : progressText(progress))
    this.#kinds.show(kinds, ({ name }) => name)
    this.#runs.show(runs, ({ id }) => String(id))
  }

  #pauseOrResume(): Promise<void> {
    return this.#ask(this.#isPaused ? 'resume' : 'pause')
  }

  async #ask(command: 'run' | 'pause' | 'resume', kind?: string): Promise<void> {
    await act(() => ask('POST', `${this.#path}/${command}`, kind === undefined ? {} : { kind }))
    await this.#look()
  }
}

function table(titles: readonly string[]): { readonly element: HTMLElement; readonly body: HTMLElement } {
  const body = h('tbody')
  const head = h('thead', {}, h('tr', {}, ...titles.map((title) => h('th', { scope: 'col' }, title))))
  return { element: h('table', { class: 'imports' }, head, body), body }
}

interface Row<T> {
  readonly element: HTMLElement
  update(item: T): void
}

function kindRow({ name }: ImportKindView, ask: (command: 'run' | 'pause' | 'resume') => void): Row<ImportKindView> {
  const cells = Array.from({ length: 6 }, () => h('td'))
  const state = h('td', { class: 'cause' })
  let isPaused = false
  const pause = h('button', { type: 'button', class: 'quiet', click: () => ask(isPaused ? 'resume' : 'pause') })
  const run = h('button', { type: 'button', 'aria-label': `Run ${name} now`, click: () => ask('run') }, 'Run now')
  return {
    element: h('tr', {}, h('th', { scope: 'row' }, name), ...cells, state, h('td', { class: 'buttons' }, run, pause)),
    update: (kind) => {
      isPaused = kind.isPaused
      const { table: name_, rows, files, deadLetters, schemaChanges, lastRead } = kind
      const texts = [name_ ?? '', count(rows), count(files), count(deadLetters), count(schemaChanges), whenOr(lastRead)]
      for (const [i, text] of texts.entries()) setText(cells[i]!, text)
      setText(state, kindState(kind))
      set(state, 'class', kind.failed > 0 ? 'cause bad' : 'cause')
      setText(pause, isPaused ? 'Resume' : 'Pause')
      set(pause, 'aria-label', `${isPaused ? 'Resume' : 'Pause'} ${name}`)
    },
  }
}

function kindState({ isPaused, failed, message, lastRead }: ImportKindView): string {
  const ended =
    failed > 0 ? `${failed} not imported: ${message ?? ''}` : lastRead === null ? 'not read yet' : 'imported'
  return isPaused ? `paused; ${ended}` : ended
}

function runRow({ started }: ImportRunView): Row<ImportRunView> {
  const cells = Array.from({ length: 7 }, () => h('td'))
  return {
    element: h('tr', {}, h('th', { scope: 'row' }, when(started)), ...cells),
    update: ({ finished, outcome, message, imported, failed, unchanged, rows, deadLetters, schemaChanges }) => {
      const took = finished === null ? '' : duration(Date.parse(finished) - Date.parse(started))
      const outcomes = [
        outcome,
        ...(failed > 0 ? [`${failed} not imported`] : []),
        ...(message === null ? [] : [message]),
      ]
      const figures = [imported, unchanged, rows, deadLetters, schemaChanges].map(count)
      for (const [i, text] of [took, outcomes.join(': '), ...figures].entries()) setText(cells[i]!, text)
      set(cells[1]!, 'class', outcome === 'failed' ? 'cause bad' : 'cause')
    },
  }
}

type Progress = NonNullable<ImportView['progress']>

function shareOf({ bytes, loadedBytes, files, endedFiles }: Progress): number {
  return bytes === 0 ? (files === 0 ? 0 : endedFiles / files) : loadedBytes / bytes
}

function progressText(progress: Progress): string {
  const { phase, files, endedFiles, rows, leftMs } = progress
  if (phase === 'looking') return `Looking for files: ${count(files)} so far.`
  if (phase === 'opening') return `Opening the database for ${count(files)} files.`
  const left = leftMs === null ? '' : `, about ${elapsed(leftMs)} left`
  return `${count(endedFiles)} of ${count(files)} files, ${Math.floor(100 * shareOf(progress))} % of the bytes, ${count(rows)} rows${left}.`
}

function when(iso: string): string {
  return new Date(iso).toLocaleString('en-GB')
}

function whenOr(iso: string | null): string {
  return iso === null ? '' : when(iso)
}
