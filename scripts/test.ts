/**
 * Runs the built tests: `node build/scripts/test.js [PATH ...] [--all | --rest | --soak]`. A PATH is a folder or file below
 * `test/` (`analysis`, `lane/ring`); without one, all files of the set run. Other options go to Node's test runner.
 *
 * The name of a file says when it runs:
 *
 *     *.test.ts         with each `npm test`
 *     *.long.test.ts    with `npm run test:all` (`--all`) as well; `--rest` runs these alone
 *     *.soak.test.ts    with `npm run test:soak` (`--soak`) only: real kills, slow servers and many cases, for as long as it takes
 *
 * Node 20's `--test` takes no globs, and later ones take no folders, so the files are found here.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

type TestSet = 'short' | 'long' | 'soak'

const SETS: Readonly<Record<string, readonly TestSet[]>> = {
  '--all': ['short', 'long'],
  '--rest': ['long'],
  '--soak': ['soak'],
}
/** A test that takes longer hangs, and is to be told by its name. A soak takes as long as it takes. */
const TIMEOUT_MS = 15 * 60_000

const root = fileURLToPath(new URL('../test/', import.meta.url))
const sources = fileURLToPath(new URL('../../test/', import.meta.url))
const paths = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--') && !(argument in SETS))
// `npm run test:all -- --rest` gives two: the last one counts.
const sets = SETS[process.argv.findLast((argument) => argument in SETS) ?? ''] ?? ['short']
const files = (readdirSync(root, { recursive: true }) as string[])
  .filter((file) => file.endsWith('.test.js') && sets.includes(setOf(file)))
  // What was built of a file that is gone by now stays in the folder.
  .filter((file) => existsSync(join(sources, file.replace(/js$/, 'ts'))))
  .filter((file) => paths.length === 0 || paths.some((path) => file.startsWith(path)))
  .sort()
  .map((file) => join(root, file))

function setOf(file: string): TestSet {
  if (file.endsWith('.soak.test.js')) return 'soak'
  return file.endsWith('.long.test.js') ? 'long' : 'short'
}

if (files.length === 0) {
  const below = paths.length === 0 ? '' : ` whose path below test/ starts with ${paths.join(' or ')}`
  console.error(`There is no ${sets.join(' or ')} test${below}. Other sets: ${Object.keys(SETS).join(', ')}.`)
  process.exit(1)
}
const timeout = sets.includes('soak') ? [] : [`--test-timeout=${TIMEOUT_MS}`]
// Node leaves a core free, which of two is half. A soak runs by itself: its own threads take all cores.
const atOnce = sets.includes('soak') ? [] : [`--test-concurrency=${availableParallelism()}`]
const reporter = `--test-reporter=${new URL('test-report.js', import.meta.url).href}`
const { status } = spawnSync(process.execPath, ['--test', reporter, ...timeout, ...atOnce, ...flags, ...files], {
  stdio: 'inherit',
})
process.exit(status ?? 1)
