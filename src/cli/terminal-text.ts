import { randomBytes } from 'node:crypto'
import { styleText } from 'node:util'
import { printable } from '../shown.ts'
import type { Output } from './command.ts'

const ESC = '\u001B'
/** Stands for ESC until a text is written. No text from elsewhere knows it, so none can bring a sequence of its own. */
const MARK = `\u0001${randomBytes(12).toString('base64url')}`
const STYLES = new RegExp(`${MARK}\\[[\\d;]*m`, 'g')

/** A text in colours, where there are colours; `terminalText` writes them out. */
export function style(format: Parameters<typeof styleText>[0], text: string, { color }: Pick<Output, 'color'>): string {
  if (!color) return text
  // Whether there are colours has been decided, for an output that need not be stdout.
  return styleText(format, printable(text), { validateStream: false }).replaceAll(ESC, MARK)
}

/** A text as it goes to a terminal: styles that were made here, and no other control characters than line ends and tabs. */
export function terminalText(text: string): string {
  return text.split(MARK).map(printable).join(ESC)
}

/** A text without its styles, as it is seen. */
export function plainText(text: string): string {
  return printable(text.replaceAll(STYLES, ''))
}

/** An output that lets nothing through but text and styles: the one place that all that a command prints comes through. */
export function safeOutput(output: Output): Output {
  return {
    ...output,
    print: (text) => output.print(terminalText(text)),
    warn: (text) => output.warn(terminalText(text)),
  }
}
