/** Pans and zooms a drawing: wheel, drag, and the buttons. */
const STEP = 1.25
const MOST = 6

export class Camera {
  readonly #frame: HTMLElement
  #svg: SVGSVGElement | undefined
  #size = { width: 1, height: 1 }
  #scale = 1
  #at = { x: 0, y: 0 }

  constructor(frame: HTMLElement) {
    this.#frame = frame
    frame.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault()
        const { left, top } = frame.getBoundingClientRect()
        this.zoom(Math.exp(-event.deltaY / 400), { x: event.clientX - left, y: event.clientY - top })
      },
      { passive: false },
    )
    frame.addEventListener('pointerdown', (event) => this.#drag(event))
  }

  /** @param keep shows the same part as before, of a drawing of the same graph */
  show(svg: SVGSVGElement, size: { readonly width: number; readonly height: number }, keep: boolean): void {
    this.#svg = svg
    this.#size = size
    svg.style.width = `${size.width}px`
    svg.style.height = `${size.height}px`
    this.#frame.replaceChildren(svg)
    if (keep) this.#apply()
    else this.fit()
  }

  /** All of it, in the middle, and no larger than it is. */
  fit(): void {
    const { clientWidth, clientHeight } = this.#frame
    this.#scale = Math.min(1.2, clientWidth / this.#size.width, clientHeight / this.#size.height)
    this.#at = {
      x: (clientWidth - this.#size.width * this.#scale) / 2,
      y: (clientHeight - this.#size.height * this.#scale) / 2,
    }
    this.#apply()
  }

  zoom(factor: number = STEP, about = { x: this.#frame.clientWidth / 2, y: this.#frame.clientHeight / 2 }): void {
    const scale = Math.min(MOST, Math.max(0.02, this.#scale * factor))
    const real = scale / this.#scale
    this.#at = { x: about.x - (about.x - this.#at.x) * real, y: about.y - (about.y - this.#at.y) * real }
    this.#scale = scale
    this.#apply()
  }

  /** Moves so that an element is in the middle, and large enough to be read. */
  reveal(element: Element): void {
    if (this.#scale < 0.6) this.zoom(1 / this.#scale)
    const [box, frame] = [element.getBoundingClientRect(), this.#frame.getBoundingClientRect()]
    this.#at.x += frame.left + frame.width / 2 - (box.left + box.width / 2)
    this.#at.y += frame.top + frame.height / 2 - (box.top + box.height / 2)
    this.#apply()
  }

  #drag(start: PointerEvent): void {
    const from = { x: start.clientX - this.#at.x, y: start.clientY - this.#at.y }
    const move = (event: PointerEvent): void => {
      this.#at = { x: event.clientX - from.x, y: event.clientY - from.y }
      this.#apply()
    }
    const end = (): void => {
      removeEventListener('pointermove', move)
      removeEventListener('pointerup', end)
    }
    addEventListener('pointermove', move)
    addEventListener('pointerup', end)
  }

  #apply(): void {
    if (this.#svg !== undefined) {
      this.#svg.style.transform = `translate(${this.#at.x}px, ${this.#at.y}px) scale(${this.#scale})`
    }
  }
}
