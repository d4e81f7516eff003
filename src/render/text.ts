/** Numbers and texts as pictures and tables show them. */

/** Records per second: `10,000/s`, `4.5/s`; `∞/s` without a limit. */
export function rateText(rate: number): string {
  return `${numberText(rate)}/s`
}

/** A share from 0 to 1 in percent, one decimal below 10. */
export function percentText(share: number): string {
  const percent = share * 100
  if (!Number.isFinite(percent)) return `${numberText(percent)} %`
  return `${percent > 0 && percent < 9.95 ? Number(percent.toFixed(1)) : Math.round(percent)} %`
}

/** Milliseconds in the unit that reads best. */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms)) return numberText(ms)
  if (ms < 1) return ms === 0 ? '0 ms' : `${numberText(ms * 1_000)} µs`
  if (ms < 1_000) return `${numberText(ms)} ms`
  if (ms < 60_000) return `${numberText(ms / 1_000)} s`
  if (ms < 3_600_000) return `${numberText(ms / 60_000)} min`
  return `${numberText(ms / 3_600_000)} h`
}

/** A larger size is none that anybody meant, and Graphviz takes no exponents. */
const MOST_SIZE = 1_000_000

/** A size of a picture as it is written, in two decimals; nothing for what is no number. */
export function sizeText(size: number): string | undefined {
  if (!Number.isFinite(size)) return undefined
  return String(Math.round(Math.min(MOST_SIZE, Math.max(-MOST_SIZE, size)) * 100) / 100)
}

/** Three significant digits below a thousand, whole numbers with separators above. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? '-∞' : '–'
  if (Math.abs(value) < 999.5) return String(Number(value.toPrecision(3)))
  // Written out here: what `toLocaleString` gives depends on the machine.
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

// oxlint-disable-next-line no-control-regex -- these are the characters that no format carries
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]|\p{Surrogate}/gu

/** A text without what no format can carry: control characters and halves of characters are replaced. Newlines stay. */
export function cleanText(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').replaceAll(UNPRINTABLE, '\uFFFD')
}

/** The lines of a text, cleaned. */
export function linesOf(text: string): readonly string[] {
  return cleanText(text).split('\n')
}
