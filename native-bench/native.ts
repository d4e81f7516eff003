import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { type Absent, type Contender, type Unit, moved } from './suite.ts'

/** The shapes in C++: `suites/NAME.cpp`, built where git does not look. */
const SOURCES = fileURLToPath(new URL('../../native-bench/suites/', import.meta.url))
const BUILT = fileURLToPath(new URL('./native/', import.meta.url))
const FLAGS = ['-O3', '-std=c++17', '-pthread']

let found: string | null | undefined

/** First line of the compiler's own version; undefined where there is none. */
export function compiler(): string | undefined {
  if (found === undefined) {
    const { status, stdout } = spawnSync('g++', ['--version'], { encoding: 'utf8' })
    found = status === 0 ? stdout.split('\n')[0]!.trim() : null
  }
  return found ?? undefined
}

/** @returns path of the program, built anew where its source is younger; undefined without a compiler */
function build(name: string): string | undefined {
  if (compiler() === undefined) return undefined
  const source = `${SOURCES}${name}.cpp`
  const program = BUILT + name
  if (existsSync(program) && statSync(program).mtimeMs > youngest(source, `${SOURCES}shape.hpp`)) return program
  mkdirSync(BUILT, { recursive: true })
  const { status, stderr } = spawnSync('g++', [...FLAGS, '-o', program, source], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`g++ could not build ${source}:\n${stderr}`)
  return program
}

function youngest(...files: string[]): number {
  return Math.max(...files.map((file) => statSync(file).mtimeMs))
}

/**
 * A native contender: runs the program once a burst. It prints how long it took, in ms, and the sum of what arrived.
 * @param sum what the sum must be
 */
export function native(given: {
  readonly name: string
  readonly unit: Unit
  readonly program: string
  readonly records: number
  readonly options?: readonly (string | number)[]
  readonly sum: number
}): Contender | Absent {
  const { name, unit, records, options = [], sum } = given
  const program = build(given.program)
  if (program === undefined) return { name, unit, absent: 'no C++ compiler (g++) on this machine' }
  const burst: Contender['burst'] = async () => {
    const { stdout } = await promisify(execFile)(program, [records, ...options].map(String), { timeout: 60_000 })
    const [ms, arrived] = stdout.trim().split(' ').map(Number)
    if (arrived !== sum) throw new Error(`${name}: the sum is ${arrived}, not ${sum}`)
    return moved(records, ms!)
  }
  return { name, unit, burst }
}
