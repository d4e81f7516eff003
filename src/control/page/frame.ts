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

/** Whether an element is in sight: what is not need not be drawn. */
export class Sight {
  #isSeen = false

  /** @param comes what is done whenever it comes into sight */
  constructor(element: Element, comes: () => void) {
    new IntersectionObserver((entries) => {
      const wasSeen = this.#isSeen
      this.#isSeen = entries.at(-1)!.isIntersecting
      if (this.#isSeen && !wasSeen) comes()
    }).observe(element)
  }

  get isSeen(): boolean {
    return this.#isSeen
  }
}
