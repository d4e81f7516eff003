import { mark } from '../../../graph/types.ts'
import { unreadable } from '../record.ts'

const LINE_FEED = 0x0a

/** Where the last whole line ends. */
export function endOfLines(bytes: Buffer): number {
  return bytes.lastIndexOf(LINE_FEED) + 1
}

/** The lines of a text, without their ends; empty ones are left out. */
function* linesOf(text: string): Generator<string> {
  let start = 0
  while (start < text.length) {
    const found = text.indexOf('\n', start)
    const next = found === -1 ? text.length : found
    const end = text[next - 1] === '\r' ? next - 1 : next
    if (end > start) yield text.slice(start, end)
    start = next + 1
  }
}

/**
 * The records of the lines of a text.
 * @param before the offset behind them, for errors
 */
export function* recordsOfLines(text: string, decode: (line: string) => unknown, before: number): Generator {
  for (const line of linesOf(text)) {
    try {
      yield decode(line)
    } catch (cause) {
      yield mark<unknown>(line, { error: unreadable(cause, { before }) })
    }
  }
}
