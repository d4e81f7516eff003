import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow } from 'millrace'
import type { Pending } from '#src/worker/hold/pending.js'
import type { Hand } from '#src/worker/hold/hand.js'
import { header } from '../../lane/lane.ts'
import { Line } from '../line.ts'

async function line(): Promise<Line> {
  const graph = dataflow('pending', import.meta.url)
    .source('in', { produce: () => [] as number[] })
    .sink('work', { write: () => undefined, retry: { maxAttempts: 2 } })
    .connect('in', 'work')
  return await Line.of(graph, { stashBytes: 4_096 })
}

const pendingOf = async (): Promise<Pending> => (await line()).parts('work').pending
const handOf = (it: Line): Hand => it.parts('work').hand

test('entries come in the order in which they are due, those of one time in the order in which they came', async () => {
  const pending = await pendingOf()
  for (const [value, dueAt] of [
    ['late', 30],
    ['first', 10],
    ['second', 10],
  ] as const)
    pending.wait(pending.put(header(), value, dueAt, 0)!)
  assert.equal(pending.nextDueAt, 10)
  assert.equal(pending.next(5), undefined)
  const values = [1, 2, 3].map(() => pending.next(30)!).map((entry) => pending.value(entry))
  assert.deepEqual(values, ['first', 'second', 'late'])
  assert.equal(pending.waiting, 0)
})

test('several records are kept together or not at all', async () => {
  const pending = await pendingOf()
  const many = Array.from({ length: 100 }, () => header())
  assert.equal(
    pending.putAll(
      many,
      many.map(() => 'x'.repeat(100)),
      0,
      0,
    ),
    undefined,
  )
  assert.ok(pending.stash.isEmpty)
  assert.equal(pending.putAll(many.slice(0, 2), ['a', 'b'], 0, 0)?.length, 2)
})

test('what was kept by a hand-off a successor finds; what was not, it does not', async () => {
  const it = await line()
  const { pending, journal } = it.parts('work')
  pending.put(header(), 'kept', 0, 0)
  pending.stage(journal)
  journal.commit()
  pending.put(header(), 'not kept', 0, 0)
  it.kill('work')
  const next = it.parts('work').pending
  assert.deepEqual(
    next.takeAll().map((entry) => next.value(entry)),
    ['kept'],
  )
})

test('a record that was in hand at a death has a death more; others have none', async () => {
  const it = await line()
  const chunk = header({ baseLow: 3, baseHigh: 4, first: 10 })
  handOf(it).open(chunk)
  handOf(it).hold(12)
  it.kill('work')
  assert.deepEqual(
    [1, 2, 3].map((index) => handOf(it).deathsOf(chunk, index)),
    [0, 1, 0],
  )
})

test('of several in hand nobody knows which one it was: they are in doubt, and none has a death more', async () => {
  const it = await line()
  const chunk = header({ baseLow: 3, baseHigh: 4, first: 10 })
  handOf(it).open(chunk)
  handOf(it).holdSeveral(11, 3)
  it.kill('work')
  const hand = handOf(it)
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((index) => hand.doubts(chunk, index, index + 1)),
    [false, true, true, true, false],
  )
  assert.equal(hand.deathsOf(chunk, 1), 0)
})

test('a death with nothing in hand is nobody’s', async () => {
  const it = await line()
  const chunk = header({ baseLow: 3, baseHigh: 4 })
  handOf(it).open(chunk)
  handOf(it).hold(0)
  handOf(it).drop()
  it.kill('work')
  assert.equal(handOf(it).suspects, 0)
})
