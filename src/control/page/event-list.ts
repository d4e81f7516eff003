import type { LoggedEvent } from '#src/control/index.js'
import { byId, h, setText } from './dom.ts'
import { clock } from './format.ts'

const MOST = 100

/** The last events, newest first; what happens again and again at one place is one line with a count. */
export class EventList {
  readonly #list = byId('events')
  #newest: { readonly what: string; readonly line: HTMLElement; count: number } | undefined

  constructor() {
    this.#list.replaceChildren(h('li', { class: 'none' }, 'Nothing has happened yet.'))
  }

  add(event: LoggedEvent): void {
    this.#list.querySelector('.none')?.remove()
    const { name, time } = event
    const where = placeOf(event)
    const what = `${name} ${where}`
    const again = this.#newest?.what === what ? this.#newest : undefined
    const count = (again?.count ?? 0) + 1
    again?.line.remove()
    const line = h(
      'li',
      { class: name.split('.')[1] ?? '' },
      h('time', {}, clock(time)),
      h('b', {}, name),
      h('span', { class: 'times' }),
      h('span', {}, [where, whyOf(event)].filter((part) => part !== '').join(' – ')),
    )
    if (count > 1) setText(line.querySelector('.times')!, `×${count}`)
    this.#list.prepend(line)
    this.#newest = { what, line, count }
    while (this.#list.children.length > MOST) this.#list.lastElementChild?.remove()
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
