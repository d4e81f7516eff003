/** A wall clock that is set while a pipeline runs. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('clock-program.js', import.meta.url))
/** Every thread of the process has this clock, and the first one sets it. */
const CLOCK = `data:text/javascript,${encodeURIComponent(`
const now = Date.now
let step = 0
Date.now = () => now() + step
globalThis.stepClock = (ms) => { step += ms }
`)}`

test('a clock that steps changes neither the order nor the lengths of what is told', () => {
  const out = execFileSync(process.execPath, ['--import', CLOCK, PROGRAM], { encoding: 'utf8' })
  const { events, spanMs, lagMs, isForward } = JSON.parse(out)
  assert.ok(events > 0)
  assert.ok(isForward)
  assert.ok(spanMs < 3_000_000, `${spanMs}`)
  assert.ok(lagMs < 3_000_000, `${lagMs}`)
})
