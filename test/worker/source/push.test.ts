import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PushSupply, Receipt } from '#src/worker/source/push.js'
import { Taken } from '#src/worker/source/supply.js'

const nothing = (): void => undefined
/** Users get receipts, and make none: the constructor is in no type. */
const receiptOf = (node: string): Receipt => Reflect.construct(Receipt, [node]) as Receipt

test('a source wants to know at once of the ends that somebody waits for, and of no others', async () => {
  let wakes = 0
  const supply = new PushSupply(() => wakes++)
  const [first, second, third] = [receiptOf('in'), receiptOf('in'), receiptOf('in')]
  const early = third.done
  for (const receipt of [first, second, third]) supply.add({ record: 'a record', receipt, settle: nothing })
  assert.equal(supply.isWaitedFor, false, 'they are not on their way yet')
  supply.take(2, new Taken())
  for (const sequence of [0, 1]) supply.opened(sequence, 1)
  assert.equal(supply.isWaitedFor, false)
  const before = wakes
  const ended = second.done
  assert.equal(supply.isWaitedFor, true)
  assert.equal(wakes, before + 1, 'the loop has to say so')
  supply.ended(0, 0)
  assert.equal(supply.isWaitedFor, true)
  supply.ended(1, 1)
  assert.equal(supply.isWaitedFor, false)
  await assert.rejects(ended, { code: 'RECORD_FAILED' })
  supply.take(1, new Taken())
  supply.opened(2, 1)
  assert.equal(supply.isWaitedFor, true, 'whoever began to wait before counts too')
  supply.ended(2, 0)
  await early
  assert.equal(supply.isWaitedFor, false)
  assert.equal(await first.done, undefined, 'what has ended needs no wait')
})

test('records that travel as one chunk end together, and those that were taken with them by themselves', async () => {
  const supply = new PushSupply(nothing)
  const receipts = Array.from({ length: 5 }, () => receiptOf('in'))
  for (const receipt of receipts) supply.add({ record: 'a record', receipt, settle: nothing })
  supply.take(5, new Taken())
  supply.opened(0, 3)
  supply.opened(1, 1)
  supply.ended(0, 1)
  assert.deepEqual(
    receipts.map(({ outcome }) => outcome),
    ['failed', 'failed', 'failed', undefined, undefined],
  )
  supply.ended(1, 0)
  supply.abandon()
  assert.equal(receipts[3]!.outcome, 'acked')
  assert.equal(receipts[4]!.outcome, 'abandoned')
})
