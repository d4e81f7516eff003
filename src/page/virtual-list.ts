import { h } from './dom.ts'
import { framed } from './frame.ts'

/** One row: it is used again for another item when it is scrolled out of sight. */
export interface VirtualRow<T> {
  readonly element: HTMLElement
  update(item: T | undefined, index: number): void
}

/** Rows beyond the edges that are there already when they are scrolled to. */
const BEYOND = 8

/** A list of any length: only the rows that are seen are there. All rows are of one height. */
export class VirtualList<T> {
  readonly #parent: HTMLElement
  readonly #space = h('div', { class: 'virtual-space' })
  readonly #rowHeight: number
  readonly #make: () => VirtualRow<T>
  readonly #rows: VirtualRow<T>[] = []
  readonly #onSeen: (last: number) => void
  #count = 0
  #at: (index: number) => T | undefined = () => undefined

  /** @param onSeen told the last index that is seen, with each look */
  constructor(
    parent: HTMLElement,
    { rowHeight, make, onSeen }: { rowHeight: number; make: () => VirtualRow<T>; onSeen: (last: number) => void },
  ) {
    this.#parent = parent
    this.#rowHeight = rowHeight
    this.#make = make
    this.#onSeen = onSeen
    parent.replaceChildren(this.#space)
    const draw = framed(() => this.#draw())
    parent.addEventListener('scroll', draw, { passive: true })
    new ResizeObserver(draw).observe(parent)
  }

  get isAtTop(): boolean {
    return this.#parent.scrollTop < this.#rowHeight
  }

  show(count: number, at: (index: number) => T | undefined): void {
    this.#at = at
    if (count !== this.#count) this.#space.style.height = `${count * this.#rowHeight}px`
    this.#count = count
    this.#draw()
  }

  #draw(): void {
    const { scrollTop, clientHeight } = this.#parent
    if (clientHeight === 0) return
    const first = Math.max(0, Math.floor(scrollTop / this.#rowHeight) - BEYOND)
    const last = Math.min(this.#count, Math.ceil((scrollTop + clientHeight) / this.#rowHeight) + BEYOND)
    while (this.#rows.length < last - first) {
      const row = this.#make()
      this.#rows.push(row)
      this.#space.append(row.element)
    }
    // A row stays with its index as long as that is seen, so focus and what is under the pointer stay too.
    const size = this.#rows.length
    for (let place = 0; place < size; place++) {
      const index = first + ((((place - first) % size) + size) % size)
      const row = this.#rows[place]!
      const isUsed = index < last
      row.element.hidden = !isUsed
      if (!isUsed) continue
      row.element.style.transform = `translateY(${index * this.#rowHeight}px)`
      row.update(this.#at(index), index)
    }
    this.#onSeen(last)
  }
}
