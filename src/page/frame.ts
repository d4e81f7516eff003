/**
 * Draws once a frame at most, whatever came since the last one. A browser has no frames for a page that is hidden: nothing is
 * drawn there, nor asked for by what is drawn, and the first frame after that draws what is so then.
 */
export function framed(draw: () => void): () => void {
  let isDue = false
  return () => {
    if (isDue) return
    isDue = true
    requestAnimationFrame(() => {
      isDue = false
      draw()
    })
  }
}

/** Beside what is seen: what is scrolled to is there already. */
const MARGIN = '300px'

/** Whether an element is in sight, or almost: what is not need not be drawn. */
export class Sight {
  #isSeen = false

  /** @param comes what is done whenever it comes into sight */
  constructor(element: Element, comes: () => void) {
    const look = (entries: readonly IntersectionObserverEntry[]): void => {
      const wasSeen = this.#isSeen
      this.#isSeen = entries.at(-1)!.isIntersecting
      if (this.#isSeen && !wasSeen) comes()
    }
    new IntersectionObserver(look, { rootMargin: MARGIN }).observe(element)
  }

  get isSeen(): boolean {
    return this.#isSeen
  }
}
