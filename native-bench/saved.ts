import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Machine } from './machine.ts'
import { UsageError } from './options.ts'
import type { Outcome } from './suite.ts'

/** One suite's outcome, as it is printed with `--json` and saved. */
export interface SuiteRun extends Outcome {
  readonly suite: string
  readonly machine: Machine
}

/** @throws UsageError where FILE holds no saved run */
export function readSaved(file: string): readonly SuiteRun[] {
  let runs: unknown
  try {
    runs = (JSON.parse(readFileSync(file, 'utf8')) as { runs?: unknown }).runs
  } catch (error) {
    throw new UsageError(
      `${file} cannot be read as a saved run: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  if (!Array.isArray(runs)) throw new UsageError(`${file} holds no saved run: --save writes one.`)
  return runs as SuiteRun[]
}

/** Puts runs into FILE; earlier ones of the same suites are replaced. */
export function save(file: string, runs: readonly SuiteRun[]): void {
  const earlier = existsSync(file) ? readSaved(file) : []
  const kept = earlier.filter(({ suite }) => !runs.some((run) => run.suite === suite))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ runs: [...kept, ...runs] }, null, 1)}\n`)
}
