#!/usr/bin/env node
import { cli } from './cli.ts'

const color = process.stdout.isTTY && process.env['NO_COLOR'] === undefined
process.exitCode = await cli(process.argv.slice(2), {
  print: (text) => void process.stdout.write(`${text}\n`),
  warn: (text) => void process.stderr.write(`${text}\n`),
  color,
})
