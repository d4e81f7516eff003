import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMillraceError } from '#src/errors.js'
import { OpenCall } from '#src/worker/call/call.js'
import { CallContext } from '#src/worker/call/context.js'
import { header } from '../../lane/lane.ts'

const context = (): CallContext => {
  const facts = {
    node: 'work',
    worker: 0,
    workers: 1,
    state: undefined,
    params: undefined,
    canRelease: true,
    branches: new Set(['left']),
  }
  return new CallContext(facts, new AbortController().signal)
}

test('a call settles once, with what its promise gave', async () => {
  for (const [promise, hasFailed] of [
    [Promise.resolve(7), false],
    [Promise.reject(new Error('no')), true],
  ] as const) {
    let settled = 0
    const call = await new Promise<OpenCall>((resolve) => {
      void new OpenCall(promise, context(), 0, (it) => {
        settled++
        resolve(it)
      })
    })
    assert.deepEqual([call.isSettled, call.hasFailed, settled], [true, hasFailed, 1])
  }
})

test('a call that takes too long has failed, its signal says so, and what it answers later concerns nobody', async () => {
  let answer!: (value: number) => void
  const promise = new Promise<number>((resolve) => (answer = resolve))
  const own = context()
  own.aim(header(), 0, 1)
  const { signal } = own
  let settled = 0
  const call = await new Promise<OpenCall>((resolve) => {
    void new OpenCall(promise, own, 1, (it) => {
      settled++
      resolve(it)
    })
  })
  assert.ok(call.hasFailed && isMillraceError(call.error) && call.error.code === 'HANDLER_TIMEOUT')
  assert.ok(signal.aborted)
  answer(7)
  await promise
  assert.equal(settled, 1)
})

test('a context sends to branches that the node has edges for, and to no others', () => {
  const own = context()
  own.emit('left', 1)
  assert.deepEqual(own.emitted, [['left', 1]])
  assert.throws(() => own.emit('right', 1), { code: 'ROUTE_UNKNOWN' })
  own.forget()
  assert.deepEqual(own.emitted, [])
})

test('a record has one id, wherever it lies', () => {
  const own = context()
  own.aim(header({ baseLow: 5, baseHigh: 6, first: 10 }), 3, 1)
  const { id } = own
  own.moveUnder(header({ baseLow: 5, baseHigh: 6, first: 13 }))
  assert.equal(own.id, id)
})
