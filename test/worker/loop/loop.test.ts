import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow } from 'millrace'
import { ring } from '#src/lane/doorbell.js'
import { PHASE, RUNNING, STOPPING } from '#src/memory/control.js'
import { viewMemory } from '#src/memory/memory.js'
import { plan as makePlan } from '#src/plan/plan.js'
import { Clock } from '#src/worker/clock.js'
import { Loop } from '#src/worker/loop/loop.js'
import { ENDED, PROGRESS, STARVED, type Stage, type Step } from '#src/worker/stage.js'

/** A loop on memory of its own, round a stage that does what the test says at each of its steps. */
function loopOf(step: (n: number, stop: () => void) => Step, isAsync = false) {
  const graph = dataflow('loop', import.meta.url)
    .source('in', { produce: () => [1] })
    .sink('out', { write: () => undefined })
    .connect('in', 'out')
  const plan = makePlan(graph)
  const memory = viewMemory(new SharedArrayBuffer(plan.memoryBytes))
  const phase = plan.control.offset / 4 + PHASE
  memory.words[phase] = RUNNING
  const worker = plan.workers[0]!
  const told = { ended: 0, waits: 0, steps: 0 }
  const stop = (): void => void (memory.words[phase] = STOPPING)
  const stage: Stage = { wakeAt: Infinity, isAsync, step: () => step(told.steps++, stop) }
  const loop = new Loop({
    plan,
    worker,
    memory,
    stage,
    clock: new Clock(memory, worker.times),
    onEnded: () => void told.ended++,
    beforeWait: () => void told.waits++,
  })
  return { loop, told, wake: () => ring(memory.words, worker.control.doorbell) }
}

test('a loop steps its stage while there is progress, and ends when the pipeline stops', async () => {
  const { loop, told } = loopOf((n, stop) => {
    if (n === 99) stop()
    return PROGRESS
  })
  await loop.run()
  assert.deepEqual([told.steps, told.waits], [100, 0])
})

test('a loop that waits goes on at a ring of its doorbell', async () => {
  let rung = false
  const { loop, told, wake } = loopOf((_, stop) => {
    if (!rung) {
      setTimeout(() => {
        rung = true
        wake()
      }, 1)
      return STARVED
    }
    stop()
    return PROGRESS
  }, true)
  await loop.run()
  assert.ok(told.waits > 0)
})

test('a loop that waits goes on when an answer comes in its own thread', async () => {
  let hasAnswer = false
  let isAsked = false
  const { loop } = loopOf((_, stop) => {
    if (hasAnswer) stop()
    else if (!isAsked) {
      isAsked = true
      setTimeout(() => {
        hasAnswer = true
        loop.wake()
      }, 1)
    }
    return hasAnswer ? PROGRESS : STARVED
  }, true)
  await loop.run()
  assert.ok(hasAnswer)
})

test('that a source has ended is told once, however often it says so', async () => {
  const { loop, told } = loopOf((n, stop) => {
    if (n === 20) stop()
    return ENDED
  })
  await loop.run()
  assert.equal(told.ended, 1)
})
