import type { LoggedEvent } from '#src/control/index.js'
import { byId, h, Keyed, setText } from './dom.ts'
import { clock } from './format.ts'

const MOST = 100

interface Entry {
  readonly key: string
  event: LoggedEvent
  count: number
}

/** The last events, newest first; what happens again and again at one place is one line with a count. */
export class EventLines {
  readonly #entries: Entry[] = []
  readonly #lines: Keyed<Entry>
  readonly #none = h('li', { class: 'none' }, 'No events yet.')
  #total = 0

  constructor() {
    byId('events').replaceChildren(this.#none)
    this.#lines = new Keyed(byId('events'), lineOf)
  }

  /** Only kept, until it is drawn: a storm of events is one picture. */
  add(event: LoggedEvent): void {
    const newest = this.#entries[0]
    if (newest !== undefined && newest.event.name === event.name && placeOf(newest.event) === placeOf(event)) {
      newest.event = event
      newest.count++
      return
    }
    this.#entries.unshift({ key: String(this.#total++), event, count: 1 })
    this.#entries.splice(MOST)
  }

  draw(): void {
    if (this.#entries.length > 0) this.#none.remove()
    this.#lines.show(this.#entries, ({ key }) => key)
  }
}

function lineOf({ event: { name } }: Entry): { element: Element; update(entry: Entry): void } {
  const [time, times, why] = [h('time'), h('span', { class: 'times' }), h('span')]
  return {
    element: h('li', { class: name.split('.')[1] ?? '' }, time, h('b', {}, name), times, why),
    update: ({ event, count }) => {
      setText(time, clock(event.time))
      setText(times, count > 1 ? `×${count}` : '')
      setText(why, [placeOf(event), whyOf(event)].filter((part) => part !== '').join(' – '))
    },
  }
}

function placeOf({ fields }: LoggedEvent): string {
  return ['node', 'worker']
    .filter((name) => fields[name] !== undefined)
    .map((name) => String(fields[name] as string | number))
    .join(' #')
}

function whyOf({ fields }: LoggedEvent): string {
  const { error, cause } = fields as Record<string, { name: string; code?: string; message?: string } | undefined>
  const found = error ?? cause
  return found?.message ?? found?.code ?? found?.name ?? ''
}
