import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Heads } from '#src/lane/heads.js'
import { recordHeadOf } from '#src/worker/source/record-head.js'
import { NO_HEAD, headBytes, writeHead } from '#src/memory/heads.js'
import { viewMemory } from '#src/memory/memory.js'
import { anchorOf } from '#src/memory/slots.js'
import { monotonicMs, wallMs } from '#src/time.js'

const HOUR_MS = 3_600_000
const LAYOUT = { offset: 128, bytes: headBytes(20) }

function heads(): { heads: Heads; write: (slot: number, marks: object) => void } {
  const memory = viewMemory(new SharedArrayBuffer(4_096))
  // The second source has none.
  const found = new Heads(memory, [LAYOUT, undefined])
  return { heads: found, write: (slot, marks) => writeHead(memory, LAYOUT, slot, recordHeadOf('in', marks, 20)) }
}

test('each slot has the meta of its own record, as JSON holds it', () => {
  const { heads: found, write } = heads()
  write(0, { meta: { a: ['é'] } })
  write(1, { meta: 0 })
  write(2, { expiresAt: wallMs() + HOUR_MS })
  assert.deepEqual(found.metaOf(anchorOf(0, 0)), { a: ['é'] })
  assert.equal(found.metaOf(anchorOf(0, 1)), 0)
  assert.equal(found.metaOf(anchorOf(0, 2)), undefined)
  assert.equal(found.metaOf(anchorOf(1, 0)), undefined)
})

test('whoever changes a meta changes it for nobody else', () => {
  const { heads: found, write } = heads()
  write(0, { meta: { a: 1 } })
  Object.assign(found.metaOf(anchorOf(0, 0)) as object, { a: 2 })
  assert.deepEqual(found.metaOf(anchorOf(0, 0)), { a: 1 })
})

test('a slot that is opened again for a record without a head has none', () => {
  const { heads: found, write } = heads()
  write(3, { meta: 'old', expiresAt: 0 })
  write(3, {})
  assert.equal(found.metaOf(anchorOf(0, 3)), undefined)
  assert.equal(found.isExpired(anchorOf(0, 3), Infinity), false)
})

test('a record expires at its time, and one without a time never', () => {
  const { heads: found, write } = heads()
  const now = monotonicMs()
  write(0, { expiresAt: wallMs() + HOUR_MS })
  write(1, { meta: 1 })
  write(2, { expiresAt: 1 })
  assert.equal(found.isExpired(anchorOf(0, 0), now), false)
  assert.equal(found.isExpired(anchorOf(0, 0), now + 2 * HOUR_MS), true)
  assert.equal(found.isExpired(anchorOf(0, 1), now + 2 * HOUR_MS), false)
  assert.equal(found.isExpired(anchorOf(0, 2), now), true)
  assert.equal(found.isExpired(anchorOf(1, 2), now), false)
})

function refused(marks: object, room: number | undefined, reason: RegExp): void {
  assert.throws(() => recordHeadOf('in', marks, room), { code: 'META_INVALID', message: reason })
}

test('what is no head is refused, with what is wrong', () => {
  const loop: { self?: unknown } = {}
  loop.self = loop
  refused({ meta: 1 }, undefined, /the source has no `metaBytes`/)
  refused({ expiresAt: 1 }, undefined, /the source has no `metaBytes`/)
  refused({ meta: 'é'.repeat(10) }, 20, /it takes 22 bytes, and `metaBytes` is 20/)
  refused({ meta: loop }, 20, /circular/)
  refused({ meta: 1n }, 20, /BigInt/)
  refused({ meta: () => 1 }, 20, /a function is no data/)
  refused({ expiresAt: NaN }, 20, /`expiresAt` is no finite number/)
  refused({ expiresAt: 'tomorrow' }, 20, /`expiresAt` is no finite number/)
  assert.equal(recordHeadOf('in', {}, undefined), NO_HEAD)
})
