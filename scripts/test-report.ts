/** A reporter for Node's test runner: what `spec` prints, and, before its summary, where the time went. */
import { Readable } from 'node:stream'
import { type TestEvent, spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../test/', import.meta.url))
const MOST_FILES = 15

/** A generator: the runner takes a plain function for a class. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string | Buffer> {
  yield* Readable.from(withTimes(events)).compose(new spec())
}

async function* withTimes(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  const msOf = new Map<string, number>()
  let isTold = false
  for await (const event of events) {
    if (event.type === 'test:pass' || event.type === 'test:fail') {
      const { file, nesting, details } = event.data
      if (nesting === 0 && file !== undefined) add(msOf, nameOf(file), details.duration_ms)
    }
    if (!isTold && isSummary(event)) {
      isTold = true
      for (const message of times(msOf)) yield { type: 'test:diagnostic', data: { nesting: 0, message } }
    }
    yield event
  }
}

/** The runner's own first line after all tests. */
function isSummary(event: TestEvent): boolean {
  return event.type === 'test:diagnostic' && event.data.nesting === 0 && /^tests \d+$/.test(event.data.message)
}

function nameOf(file: string): string {
  return file.startsWith(ROOT) ? file.slice(ROOT.length).replace(/\.js$/, '') : file
}

function add(msOf: Map<string, number>, name: string, ms: number): void {
  msOf.set(name, (msOf.get(name) ?? 0) + ms)
}

/** Of folders and of files, the slowest first. Time counts within tests: files that run side by side make more of it than a clock. */
function times(msOfFiles: ReadonlyMap<string, number>): string[] {
  const msOfFolders = new Map<string, number>()
  for (const [file, ms] of msOfFiles) add(msOfFolders, file.split('/')[0]!, ms)
  const all = [...msOfFiles.values()].reduce((sum, ms) => sum + ms, 0)
  const line = ([name, ms]: readonly [string, number]): string =>
    `${percent(ms, all)} ${(ms / 1000).toFixed(1).padStart(7)} s  ${name}`
  return [
    `where ${(all / 1000).toFixed(0)} s of tests went, by folder:`,
    ...slowestFirst(msOfFolders).map(line),
    `the slowest ${Math.min(MOST_FILES, msOfFiles.size)} of ${msOfFiles.size} files:`,
    ...slowestFirst(msOfFiles).slice(0, MOST_FILES).map(line),
  ]
}

function slowestFirst(msOf: ReadonlyMap<string, number>): (readonly [name: string, ms: number])[] {
  return [...msOf].toSorted(([, a], [, b]) => b - a)
}

function percent(part: number, all: number): string {
  return `${(all === 0 ? 0 : (100 * part) / all).toFixed(1).padStart(5)} %`
}
