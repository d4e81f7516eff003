import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PROGRAM = fileURLToPath(new URL('./faked.js', import.meta.url))
const TIMERS = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate']

/** What vitest, jest and sinon fake by default, and all that they can. The test runner itself must not be faked. */
for (const [what, methods] of [
  ['setImmediate', ['setImmediate']],
  ['the timers and Date', [...TIMERS, 'Date']],
  ['also performance, hrtime and queueMicrotask', [...TIMERS, 'Date', 'performance', 'hrtime', 'queueMicrotask']],
  ['everything, process.nextTick too,', undefined],
] as const) {
  test(`with ${what} faked, a pipeline starts, answers, drains and stops, and deadlines are kept`, async () => {
    const given = methods === undefined ? [] : [methods.join(',')]
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...given], { timeout: 60_000 })
    const { faked, ...rest } = JSON.parse(stdout) as Record<string, unknown>
    assert.ok((faked as number) >= (methods?.length ?? 10))
    assert.deepEqual(rest, {
      answers: [2, 4, 6, 8],
      drained: ['drained', false],
      stopped: ['stopped', false],
      overdue: ['drained', true],
    })
  })
}
