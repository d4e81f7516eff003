/**
 * Runs the built tests: `node build/scripts/test.js [PATH ...] [--grep TEXT]`.
 * A PATH is a folder or file below `test/` (`analysis`, `lane/ring`); without one, all tests run.
 * Node 20's `--test` takes no globs, and later ones take no folders, so the files are found here.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The longest test takes some minutes: one that takes longer hangs, and is to be told by its name. */
const TIMEOUT_MS = 15 * 60_000

const root = fileURLToPath(new URL('../test/', import.meta.url))
const paths = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'))
const files = (readdirSync(root, { recursive: true }) as string[])
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => paths.length === 0 || paths.some((path) => file.startsWith(path)))
  .sort()
  .map((file) => join(root, file))

if (files.length === 0) {
  console.error(`No test file below test/ starts with ${paths.join(' or ')}.`)
  process.exit(1)
}
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-reporter=spec', `--test-timeout=${TIMEOUT_MS}`, ...flags, ...files],
  { stdio: 'inherit' },
)
process.exit(status ?? 1)
