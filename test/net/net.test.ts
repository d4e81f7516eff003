import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** What no journal may be filled beyond, and what a round may not take longer than, the rounds check themselves. */
const DEATHS = 20_000
/** Fixed, so that a failure is the change's; `npm run net` and NET_SEED take others. */
const SEED = '4000000'

function inNet(file: string, ...flags: string[]): { status: number | null; output: string } {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=net', ...flags, path], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    // A runner within a runner would not report to a person.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_V8_COVERAGE: undefined },
  })
  return { status, output: stdout + stderr }
}

test('the scenarios of the net', () => {
  const { status, output } = inNet('scenarios.js')
  assert.equal(status, 0, output)
})

test(`${DEATHS} deaths in random graphs with random options: every record comes out once, in order where one is promised`, (t) => {
  const seed = process.env['NET_SEED'] ?? SEED
  const path = fileURLToPath(new URL('main.js', import.meta.url))
  const flags = ['--conditions=net', path, '--deaths', String(DEATHS), '--seed', seed]
  const { status, stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8', maxBuffer: 1 << 26 })
  t.diagnostic(`seed ${seed}: ${stdout.trim()}`)
  assert.equal(status, 0, `${stderr}${stdout}\nNET_SEED=${seed} replays it`)
})
