import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow } from 'millrace'
import { sign } from '#src/lane/signature.js'
import { viewMemory } from '#src/memory/memory.js'
import { plan as makePlan } from '#src/plan/plan.js'
import { termsOf } from '#src/plan/terms.js'
import { LIBRARY_VERSION } from '#src/version.js'
import { loadStage } from '#src/worker/thread/stage-kinds.js'
import { checkTerms } from '#src/worker/thread/terms.js'

const write = (): void => undefined

const graphOf = (work: object, edge: object = {}) =>
  dataflow('kinds', import.meta.url)
    .source('in', { produce: () => [1] })
    .sink('work', work as never)
    .connect('in', 'work', edge)

const kindOf = async (work: object): Promise<string[]> => {
  const { stages } = makePlan(graphOf({ write, ...work }), { inject: false })
  return await Promise.all(stages.map(async (stage) => (await loadStage(stage)).name))
}

test('each kind of stage has its code: records, batches, and batches of which several are open', async () => {
  assert.deepEqual(await kindOf({}), ['SourceStage', 'RecordStage'])
  assert.deepEqual(await kindOf({ batch: { size: 2 }, maxInFlight: 1 }), ['SourceStage', 'BatchStage'])
  assert.deepEqual(await kindOf({ batch: { size: 2 }, maxInFlight: 2 }), ['SourceStage', 'KeyedBatchStage'])
  assert.deepEqual(await kindOf({ batch: { size: 2, by: () => 'a' } }), ['SourceStage', 'KeyedBatchStage'])
})

test('a worker whose graph differs from the one that its lanes were laid out for does not start', () => {
  const [planned, found] = [graphOf({ write }), graphOf({ write }, { dataType: 'another' })]
  const plan = makePlan(planned, { inject: false })
  const memory = viewMemory(new SharedArrayBuffer(plan.memoryBytes))
  for (const { edges, lanes } of plan.links)
    for (const layout of lanes.flat()) sign(memory, layout, LIBRARY_VERSION, termsOf(planned, edges))
  for (const worker of plan.workers) {
    checkTerms(plan, worker, memory, planned, planned)
    assert.throws(() => checkTerms(plan, worker, memory, found, planned), { code: 'LANE_DIFFERS' })
  }
})
