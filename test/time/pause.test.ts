import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { RunningTime } from '#src/running-time.js'

/** Longer than each time-out of the program, and long enough for many looks. */
const PAUSE_MS = 2_000
const UNTIL_BUSY_MS = 150

test('a process that is stopped and goes on has no worker terminated, no call timed out, no deadline passed', async () => {
  const program = spawn(process.execPath, [fileURLToPath(new URL('./paused.js', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let last = ''
  for await (const line of createInterface(program.stdout)) {
    last = line
    if (line.startsWith('{')) break
    await sleep(UNTIL_BUSY_MS)
    program.kill('SIGSTOP')
    await sleep(PAUSE_MS)
    program.kill('SIGCONT')
  }
  if (program.exitCode === null) await once(program, 'exit')
  assert.deepEqual(JSON.parse(last), { troubles: [], acked: 12, outcome: 'drained', deadlinePassed: false })
})

test('the time of a look that comes far too late is not counted, that of one which is a little late is', () => {
  let now = 1_000
  const running = new RunningTime(() => now)
  assert.equal(running.look(100), 0)
  now += 110
  assert.equal(running.look(100), 110)
  now += 200
  assert.equal(running.look(100), 310)
  now += 3_600_000
  assert.equal(running.look(100), 410)
  now += 100
  assert.equal(running.look(100), 510)
})
