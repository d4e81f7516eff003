/** Which workers the stages of a pipeline get, by what was measured of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomOf } from '../rehearse/random-graphs.js'
import { ScaleModel } from './scale-model.js'

test('a stage gets the workers that its load needs, once two looks agree', () => {
  const model = new ScaleModel(100, [{ id: 'work', costMs: 5, rule: {} }])
  model.look(5)
  assert.deepEqual(model.changes, [], 'half of its time is enough')
  model.rate = 400
  assert.deepEqual(model.look().changes, [])
  assert.deepEqual(model.look().changes, [{ node: 'work', from: 1, to: 3 }])
})

test('what a change brings is judged by the second look after it, which the first one is not', () => {
  const model = new ScaleModel(400, [{ id: 'work', costMs: 5, rule: {} }])
  model.look(2)
  assert.deepEqual(model.look().stages, [], 'it holds the time of the resize')
  const { verdict } = model.look()
  assert.deepEqual(
    { isKept: verdict?.isKept, by: verdict?.by, promised: verdict?.promised, brought: verdict?.brought },
    { isKept: true, by: 'throughput', promised: 2, brought: 2 },
  )
})

test('a stage whose load halves keeps its workers for six looks, then has the fewest that are enough', () => {
  const model = new ScaleModel(560, [{ id: 'work', costMs: 5, rule: {} }])
  model.look(10)
  assert.equal(model.workers.get('work'), 4)
  model.rate = 280
  model.look(5)
  assert.equal(model.workers.get('work'), 4)
  model.look()
  assert.equal(model.workers.get('work'), 2)
  model.look(100)
  assert.equal(model.changes.length, 2)
})

test('a stage that waits for another one gets no workers: the one that it waits for does', () => {
  const model = new ScaleModel(1_000, [
    { id: 'first', costMs: 2, rule: {} },
    { id: 'slow', costMs: 10, rule: { max: 20 } },
  ])
  assert.equal(model.look().stages[0]!.reason, 'blocked')
  model.look()
  assert.deepEqual(
    model.changes.map(({ node }) => node),
    ['slow'],
  )
  model.look(20)
  assert.deepEqual(Object.fromEntries(model.workers), { first: 3, slow: 15 })
})

test('two full stages in a row get workers together: neither helps alone', () => {
  const model = new ScaleModel(190, [
    { id: 'first', costMs: 10, rule: {} },
    { id: 'second', costMs: 10, rule: {} },
  ])
  model.workers.set('second', 1)
  model.look(20)
  assert.deepEqual(Object.fromEntries(model.workers), { first: 3, second: 3 })
  assert.ok(model.decisions.every(({ isUndoing }) => !isUndoing))
})

test('no stage gets workers for records that a stage without `scale` cannot take', () => {
  const model = new ScaleModel(1_000, [
    { id: 'work', costMs: 9, rule: {} },
    { id: 'out', costMs: 8 },
  ])
  model.look(30)
  assert.equal(model.workers.get('work'), 2, 'as many as 125 records a second need')
})

test('workers never burn more cores than there are', () => {
  for (const cores of [1, 2, 3.5]) {
    const model = new ScaleModel(10_000, [{ id: 'work', costMs: 5, rule: { max: 16 } }], cores)
    model.look(60)
    assert.ok(model.workers.get('work')! <= Math.ceil(cores), `${model.workers.get('work')} on ${cores}`)
    assert.equal(model.look().stages[0]!.reason, 'cores')
  }
})

test('where handlers wait, a core serves several workers', () => {
  const model = new ScaleModel(1_000, [{ id: 'work', costMs: 5, rule: {} }])
  const measure = model.measure.bind(model)
  model.measure = () => {
    const look = measure()
    return { ...look, cores: { available: 2, used: look.cores.used / 10 } }
  }
  model.look(10)
  assert.equal(model.workers.get('work'), 8)
})

test('a change that brings less than was promised is undone, and tried again ever more rarely', () => {
  const model = new ScaleModel(1_000, [{ id: 'locked', costMs: 5, ceiling: 210, rule: {} }])
  model.look(300)
  const undone = model.decisions.flatMap(({ isUndoing }, i) => (isUndoing ? [i] : []))
  assert.ok(undone.length >= 3 && undone.length <= 7, `${undone.length} times`)
  const gaps = undone.slice(1).map((at, i) => at - undone[i]!)
  assert.deepEqual(
    gaps,
    gaps.toSorted((a, b) => a - b),
  )
})

test('fewer workers that do not keep up are undone', () => {
  const stage = { id: 'work', costMs: 5, rule: {} }
  const model = new ScaleModel(560, [stage])
  model.look(10)
  model.rate = 250
  model.look(6)
  assert.equal(model.workers.get('work'), 2)
  // With fewer workers each of them gets slower: a cache that is too small now, say.
  stage.costMs = 8
  model.look(2)
  assert.equal(model.workers.get('work'), 4)
  assert.equal(model.decisions.at(-1)!.verdict?.isKept, false)
})

test('a stage that has no time left never gets fewer workers, whatever its neighbours seem to say', () => {
  const model = new ScaleModel(1_000, [
    { id: 'first', costMs: 5, rule: {} },
    { id: 'out', costMs: 1 },
  ])
  model.workers.set('first', 4)
  const { measurements, ...rest } = model.measure()
  const { in: source, first, ...others } = measurements.nodes
  // A ratio that is measured wrongly: the source seems to make hardly anything.
  model.measure = () => ({
    ...rest,
    measurements: {
      ...measurements,
      edges: measurements.edges.map((edge) => (edge.index === 0 ? { ...edge, records: 10 } : edge)),
      nodes: { ...others, first: first!, in: { ...source!, in: 10, blocked: 0 } },
    },
  })
  model.look(50)
  assert.deepEqual(model.changes, [])
})

test('a call that takes longer than a look says nothing', () => {
  const model = new ScaleModel(1, [{ id: 'work', costMs: 100, rule: {} }])
  const measure = model.measure.bind(model)
  model.measure = () => {
    const look = measure()
    const work = { ...look.measurements.nodes['work']!, in: 0, busy: 1 }
    return { ...look, measurements: { ...look.measurements, nodes: { ...look.measurements.nodes, work } } }
  }
  assert.equal(model.look(20).stages[0]!.reason, 'unmeasured')
  assert.deepEqual(model.changes, [])
})

test('under any load that stays for a while each stage ends with the fewest workers that keep up, and does not swing', (t) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  t.diagnostic(`seed ${seed}`)
  const random = randomOf(seed)
  for (let round = 0; round < 100; round++) {
    const stages = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, i) => ({
      id: `s${i}`,
      costMs: 0.5 + 20 * random(),
      rule: { max: 24, busy: 0.4 + 0.5 * random() },
    }))
    const model = new ScaleModel(50, stages)
    for (let phase = 0; phase < 5; phase++) {
      model.rate = 10 + 900 * random()
      const before = model.changes.length
      // The load is not quite even.
      const mean = model.rate
      for (let i = 0; i < 60; i++) {
        model.rate = mean * (0.99 + 0.02 * random())
        model.look()
      }
      model.rate = mean
      assert.ok(model.changes.length - before <= 3 * stages.length, `${model.changes.length - before} changes`)
      for (const { id, costMs, rule } of stages) {
        const workers = model.workers.get(id)!
        const work = (mean * costMs) / 1_000
        const isEnough = workers === rule.max || work / workers <= ((1 + rule.busy) / 2) * 1.02
        assert.ok(isEnough, `${id}: ${workers} workers for ${work}`)
        assert.ok(
          workers === 1 || work / (workers - 1) > rule.busy * 0.97,
          `${id}: ${workers} workers for only ${work}`,
        )
      }
    }
  }
})
