import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Whether each suite works, on few records. No time is asserted. */
const BENCH = fileURLToPath(new URL('../../native-bench/bench.js', import.meta.url))
export const folder = mkdtempSync(join(tmpdir(), 'bench-'))
after(() => rmSync(folder, { recursive: true }))

export function bench(
  args: readonly string[],
  env: Record<string, string> = {},
): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BENCH, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 300_000,
  })
  return { status, out: stdout, err: stderr }
}

interface Row {
  name: string
  unit: string
  median: number | null
  min: number | null
  max: number | null
  runs: number
  note?: string
}
export interface Run {
  suite: string
  machine: Record<string, unknown>
  results: Row[]
  ratios: Record<string, number | null>
}

export function runQuick(suite: string, args: readonly string[] = [], env: Record<string, string> = {}): Run {
  const { status, out, err } = bench(['--suite', suite, '--quick', '--json', ...args], env)
  assert.equal(status, 0, err)
  return JSON.parse(out.trimEnd().split('\n').at(-1)!) as Run
}

/** Whether each of these suites works, given the names of its ratios. */
export function works(ratios: Readonly<Record<string, readonly string[]>>): void {
  for (const [suite, keys] of Object.entries(ratios)) {
    test(`suite ${suite}: every contender moves what it must, and the last line is the outcome as JSON`, () => {
      const run = runQuick(suite)
      assert.equal(run.suite, suite)
      for (const fact of ['cpu', 'cores', 'node', 'date', 'commit']) assert.ok(fact in run.machine, fact)
      assert.ok(run.results.length > 1)
      for (const { name, unit, median, min, max, runs, note } of run.results) {
        assert.ok(unit.length > 0)
        if (note !== undefined) continue
        assert.ok(min! > 0 && min! <= median! && median! <= max!, name)
        assert.equal(runs, 1)
      }
      assert.deepEqual(Object.keys(run.ratios), keys)
      const isWhole = run.results.every(({ note }) => note === undefined)
      for (const ratio of Object.values(run.ratios)) assert.ok(ratio === null ? !isWhole : ratio > 0)
    })
  }
}
