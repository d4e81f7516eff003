import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow } from 'millrace'
import type { Desk } from '#src/worker/hold/desk.js'
import type { Hand } from '#src/worker/hold/hand.js'
import { header } from '../../lane/lane.ts'
import { Line } from '../line.ts'

async function line(): Promise<Line> {
  const graph = dataflow('desk', import.meta.url)
    .source('in', { produce: () => [] as number[] })
    .sink('work', { write: () => undefined, retry: { maxAttempts: 2 } })
    .connect('in', 'work')
  return await Line.of(graph, { stashBytes: 4_096 })
}

const deskOf = async (): Promise<Desk> => (await line()).parts('work').desk
const handOf = (it: Line): Hand => it.parts('work').hand

test('entries come in the order in which they are due, those of one time in the order in which they came', async () => {
  const desk = await deskOf()
  for (const [value, dueAt] of [
    ['late', 30],
    ['first', 10],
    ['second', 10],
  ] as const)
    desk.wait(desk.put(header(), value, dueAt, 0)!)
  assert.equal(desk.nextDueAt, 10)
  assert.equal(desk.next(5), undefined)
  const values = [1, 2, 3].map(() => desk.next(30)!).map((entry) => desk.value(entry))
  assert.deepEqual(values, ['first', 'second', 'late'])
  assert.equal(desk.waiting, 0)
})

test('several records are kept together or not at all', async () => {
  const desk = await deskOf()
  const many = Array.from({ length: 100 }, () => header())
  assert.equal(
    desk.putAll(
      many,
      many.map(() => 'x'.repeat(100)),
      0,
      0,
    ),
    undefined,
  )
  assert.ok(desk.stash.isEmpty)
  assert.equal(desk.putAll(many.slice(0, 2), ['a', 'b'], 0, 0)?.length, 2)
})

test('what was kept by a hand-off a successor finds; what was not, it does not', async () => {
  const it = await line()
  const { desk, journal } = it.parts('work')
  desk.put(header(), 'kept', 0, 0)
  desk.stage(journal)
  journal.commit()
  desk.put(header(), 'not kept', 0, 0)
  it.kill('work')
  const next = it.parts('work').desk
  assert.deepEqual(
    next.takeAll().map((entry) => next.value(entry)),
    ['kept'],
  )
})

test('a record that was in hand at a death has a death more; others have none', async () => {
  const it = await line()
  const granule = header({ baseLow: 3, baseHigh: 4, first: 10 })
  handOf(it).open(granule)
  handOf(it).hold(12)
  it.kill('work')
  assert.deepEqual(
    [1, 2, 3].map((index) => handOf(it).deathsOf(granule, index)),
    [0, 1, 0],
  )
})

test('of several in hand nobody knows which one it was: they are in doubt, and none has a death more', async () => {
  const it = await line()
  const granule = header({ baseLow: 3, baseHigh: 4, first: 10 })
  handOf(it).open(granule)
  handOf(it).holdSeveral(11, 3)
  it.kill('work')
  const hand = handOf(it)
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((index) => hand.doubts(granule, index, index + 1)),
    [false, true, true, true, false],
  )
  assert.equal(hand.deathsOf(granule, 1), 0)
})

test('a death with nothing in hand is nobody’s', async () => {
  const it = await line()
  const granule = header({ baseLow: 3, baseHigh: 4 })
  handOf(it).open(granule)
  handOf(it).hold(0)
  handOf(it).drop()
  it.kill('work')
  assert.equal(handOf(it).suspects, 0)
})
