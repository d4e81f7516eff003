import { byId, h } from './dom.ts'

interface Shown {
  readonly button: HTMLButtonElement
  readonly panel: HTMLElement
  readonly onShown: (isShown: boolean) => void
}

/** The views of the page, one at a time: each is the `main` with its id, and has a button in the bar. */
export class Tabs {
  readonly #bar = byId('tabs')
  readonly #tabs = new Map<string, Shown>()
  #shown = ''
  #isHidden = false

  /** @param onShown told whenever it comes to be seen, or no more */
  add(id: string, title: string, onShown: (isShown: boolean) => void = () => undefined): void {
    const button = h('button', { type: 'button', 'data-tab': id, click: () => this.show(id) }, title)
    this.#tabs.set(id, { button, panel: byId(id), onShown })
    this.#bar.append(button)
    if (this.#shown === '') this.show(id)
  }

  get shown(): string {
    return this.#shown
  }

  /** Shows a tab; one that is not there leaves what is seen. */
  show(id: string): void {
    if (!this.#tabs.has(id) || id === this.#shown) return
    const before = this.#tabs.get(this.#shown)
    this.#shown = id
    this.#draw()
    before?.onShown(false)
    this.#tabs.get(id)!.onShown(true)
  }

  /** Something else is shown in place of all of them, or no more. */
  hide(isHidden: boolean): void {
    this.#isHidden = isHidden
    this.#bar.hidden = isHidden
    this.#draw()
  }

  #draw(): void {
    for (const [each, { button, panel }] of this.#tabs) {
      button.setAttribute('aria-pressed', String(each === this.#shown))
      panel.hidden = this.#isHidden || each !== this.#shown
    }
  }
}
