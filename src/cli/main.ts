#!/usr/bin/env node
import { errorText } from '../errors.ts'
import { cli } from './cli.ts'
import type { Terminal } from './command.ts'
import { terminalText } from './terminal-text.ts'

const color = process.stdout.isTTY && process.env['NO_COLOR'] === undefined
const terminal: Terminal = {
  get columns() {
    return process.stdout.columns
  },
  get rows() {
    return process.stdout.rows
  },
  write: (text) => void process.stdout.write(text),
  onResize: (listener) => {
    process.stdout.on('resize', listener)
    return () => void process.stdout.off('resize', listener)
  },
}
const code = await cli(process.argv.slice(2), {
  print: (text) => void process.stdout.write(`${text}\n`),
  warn: (text) => void process.stderr.write(`${text}\n`),
  color,
  ...(process.stdout.isTTY ? { terminal } : {}),
}).catch((error: unknown) => {
  const { stack, message } = errorText(error)
  process.stderr.write(`${terminalText(stack ?? message)}\n`)
  return 1
})
// What a user's module left open, a timer or a connection, would keep the process for ever. What was printed goes out first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
