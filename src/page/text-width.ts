const context = document.createElement('canvas').getContext('2d')!

/** How wide a text is in the font of the page. @param font its weight and size, as CSS says them */
export function widthOf(text: string, font: string): number {
  context.font = `${font} ${getComputedStyle(document.body).fontFamily}`
  return context.measureText(text).width
}

/** A text that loses its middle where it is too wide: names differ at either end. */
export function fitted(text: string, width: number, font: string): string {
  if (widthOf(text, font) <= width) return text
  for (let kept = text.length - 1; kept > 1; kept--) {
    const head = Math.ceil(kept / 2)
    const shorter = `${text.slice(0, head)}…${text.slice(text.length - (kept - head))}`
    if (widthOf(shorter, font) <= width) return shorter
  }
  return '…'
}
