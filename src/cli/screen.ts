import type { Terminal } from './command.ts'
import { plainText, terminalText } from './terminal-text.ts'

const ESC = '\u001B['

/** A frame, made for the size that the terminal has just then. */
export type Frame = () => readonly string[]

/** A terminal that shows one frame after the other, and is as it was when it is closed. */
export class TerminalScreen {
  readonly #terminal: Terminal
  readonly #unlisten: () => void
  #frame: Frame = () => []

  constructor(terminal: Terminal) {
    this.#terminal = terminal
    // Another buffer, so that what was on the terminal comes back; without a cursor.
    terminal.write(`${ESC}?1049h${ESC}?25l`)
    this.#unlisten = terminal.onResize(() => this.show(this.#frame))
  }

  show(frame: Frame): void {
    this.#frame = frame
    const { columns, rows } = this.#terminal
    const lines = frame()
      .slice(0, rows)
      .map((line) => `${terminalText(fitted(line, columns))}${ESC}K`)
    this.#terminal.write(`${ESC}H${lines.join('\r\n')}${ESC}J`)
  }

  close(): void {
    this.#unlisten()
    this.#terminal.write(`${ESC}?25h${ESC}?1049l`)
  }
}

/** A line that is too long loses its end, and with it its colours. */
function fitted(line: string, columns: number): string {
  const plain = plainText(line)
  return plain.length <= columns ? line : `${plain.slice(0, Math.max(0, columns - 1))}…`
}
