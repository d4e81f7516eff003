import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Runs a file of this folder with the net's atomics and time. */
export function inNet(file: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const path = fileURLToPath(new URL(file, import.meta.url))
  return spawnSync(process.execPath, ['--conditions=net', path, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    // A runner within a runner would not report to a person.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_V8_COVERAGE: undefined },
  })
}

/**
 * A test of so many deaths. What no journal may be filled beyond, and what a round may not take longer than, the rounds check
 * themselves.
 */
export function deathsInNet(deaths: number, seed: string): void {
  test(`${deaths} deaths in random graphs with random options: every record comes out once, in order where one is promised`, (t) => {
    const { status, stdout, stderr } = inNet('main.js', '--deaths', String(deaths), '--seed', seed)
    t.diagnostic(`seed ${seed}: ${stdout.trim()}`)
    assert.equal(status, 0, `${stderr}${stdout}\nNET_SEED=${seed} replays it`)
  })
}
