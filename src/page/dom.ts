/** Elements made by hand: texts are texts, never markup. */

type Child = Node | string | undefined
type Props = Readonly<Record<string, string | number | boolean | ((event: Event) => void) | undefined>>

const SVG = 'http://www.w3.org/2000/svg'

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), props, children)
}

export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag), props, children)
}

function fill<E extends Element>(element: E, props: Props, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name, value)
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(...children.filter((child) => child !== undefined))
  return element
}

/** What a colour stands for, beside a chart. */
export function key(color: string, text: string): HTMLElement {
  return h('span', { class: `key ${color}` }, text)
}

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no #${id}`)
  return found
}

/** Sets a text only where it changes, so that selections and screen readers are left in peace, and nothing is laid out anew. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Sets an attribute only where it changes: a browser takes an equal value for a new one. */
export function set(element: Element, name: string, value: string | boolean): void {
  if (typeof value === 'boolean') element.toggleAttribute(name, value)
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}

/** Children by key: those that stay are kept, with their focus; each is brought up to date. */
export class Keyed<T> {
  readonly #parent: Element
  readonly #make: (item: T) => { readonly element: Element; update(item: T): void }
  readonly #kept = new Map<string, { readonly element: Element; update(item: T): void }>()

  constructor(parent: Element, make: (item: T) => { readonly element: Element; update(item: T): void }) {
    this.#parent = parent
    this.#make = make
  }

  show(items: readonly T[], keyOf: (item: T) => string): void {
    const keys = new Set(items.map(keyOf))
    for (const [key, { element }] of this.#kept) {
      if (keys.has(key)) continue
      element.remove()
      this.#kept.delete(key)
    }
    items.forEach((item, i) => {
      const key = keyOf(item)
      const row = this.#kept.get(key) ?? this.#make(item)
      this.#kept.set(key, row)
      row.update(item)
      if (this.#parent.children[i] !== row.element)
        this.#parent.insertBefore(row.element, this.#parent.children[i] ?? null)
    })
  }
}
