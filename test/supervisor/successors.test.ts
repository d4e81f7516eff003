import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MillraceError, PipelineEvent } from 'millrace'
import type { Detachments } from '#src/supervisor/detachments.js'
import { Events } from '#src/supervisor/events.js'
import type { WorkerHandle } from '#src/supervisor/handle.js'
import { History } from '#src/supervisor/history.js'
import { Successors } from '#src/supervisor/successors.js'
import { until } from '../run/harness.js'
import { type Crew, crew } from './threads.js'

interface Watched extends Crew {
  readonly successors: Successors
  readonly detachments: Detachments
  readonly events: PipelineEvent[]
  readonly names: () => string[]
  readonly givenUp: MillraceError[]
  readonly drained: MillraceError[]
  readonly died: WorkerHandle[]
  readonly end: () => Promise<void>
}

/** A running pipeline of fake threads, of which the successors are real. */
async function running({
  startDeadlineMs = 60_000,
  ...options
}: { startDeadlineMs?: number; restart?: object } = {}): Promise<Watched> {
  const told = new Events('three')
  const events: PipelineEvent[] = []
  told.on('*', (event) => events.push(event))
  const givenUp: MillraceError[] = []
  const drained: MillraceError[] = []
  const died: WorkerHandle[] = []
  const made = crew(
    {
      message: (handle, { type }) => void (type === 'ready' && successors.ready(handle)),
      over: (handle, error) => successors.over(handle, error),
    },
    options,
  )
  const successors = new Successors({
    ...made,
    events: told,
    history: new History(),
    startDeadlineMs,
    onDeath: (handle) => died.push(handle),
    onDrain: (error) => drained.push(error),
    onGiveUp: (error) => givenUp.push(error),
  })
  await made.begin()
  const end = async (): Promise<void> => {
    successors.close()
    for (const each of made.threads) each.last.leave()
    await Promise.all(made.handles.map(({ gone }) => gone))
  }
  return {
    ...made,
    successors,
    detachments: successors.detachments,
    events,
    names: () => events.map(({ name }) => name),
    givenUp,
    drained,
    died,
    end,
  }
}

test('a worker that dies is recovered and told, and its successor goes on in the next epoch', async () => {
  const { threads, handles, events, names, died, end } = await running()
  threads[1]!.last.die(new Error('a bolt'))
  const successor = await threads[1]!.life(1)
  successor.getReady()
  await until(() => names().includes('worker.restarted'), 'the successor is told', 1)
  assert.deepEqual(names(), ['worker.died', 'worker.restarted'])
  const [death] = events as unknown as [{ cause: MillraceError; counts: boolean; epoch: number }]
  assert.deepEqual([death.cause.code, death.counts, death.epoch], ['WORKER_DIED', true, 0])
  assert.match(death.cause.message, /node: work.*a bolt/)
  assert.deepEqual(died, [handles[1]])
  assert.equal(handles[1]!.epoch, 1)
  await end()
})

test('what a worker said of its end is the cause of its death', async () => {
  const { threads, events, end } = await running()
  threads[1]!.last.say({
    type: 'failed',
    error: { name: 'RangeError', message: 'out of range', stack: 'at home', code: 'FAR' },
  })
  threads[1]!.last.die()
  await threads[1]!.life(1)
  const { cause } = (events[0] as unknown as { cause: MillraceError }).cause as { cause: Error & { code: string } }
  assert.deepEqual(
    [cause.name, cause.message, cause.stack, cause.code],
    ['RangeError', 'out of range', 'at home', 'FAR'],
  )
  await end()
})

test('a worker that leaves by itself has no successor', async () => {
  const { threads, handles, names, end } = await running()
  threads[1]!.last.leave()
  await handles[1]!.gone
  assert.deepEqual(names(), [])
  await end()
})

test('a death beyond the budget ends the pipeline, with the history of the stage', async () => {
  const { threads, givenUp, names, end } = await running({ restart: { maxRestarts: 1 } })
  threads[1]!.last.die()
  ;(await threads[1]!.life(1)).die()
  await until(() => givenUp.length > 0, 'the stage is given up', 1)
  assert.equal(givenUp[0]!.code, 'RESTARTS_EXHAUSTED')
  assert.equal((givenUp[0]!.detail['history'] as unknown[]).length, 2)
  assert.deepEqual(names(), ['worker.died', 'worker.died', 'stage.gaveUp'])
  await end()
})

test('a restart that was asked for has a successor even where no death is allowed', async () => {
  const { threads, handles, events, givenUp, end } = await running({ restart: { maxRestarts: 0 } })
  await handles[1]!.restart()
  await threads[1]!.life(1)
  assert.equal((events[0] as unknown as { counts: boolean }).counts, false)
  assert.deepEqual(givenUp, [])
  await end()
})

test('a successor that does not get ready in time is ended, and has a successor of its own', async () => {
  const { threads, names, end } = await running({ startDeadlineMs: 20, restart: { backoffMs: 1 } })
  threads[1]!.last.die()
  const hanging = await threads[1]!.life(1)
  hanging.say({ type: 'started', threadId: hanging.id })
  const next = await threads[1]!.life(2)
  next.getReady()
  await until(() => names().includes('worker.restarted'), 'the second successor is told', 1)
  assert.deepEqual(names(), ['worker.died', 'worker.hung', 'worker.died', 'worker.restarted'])
  await end()
})

test('a successor whose `setup` fails is a death like others; one whose module does not load ends the pipeline', async () => {
  const { threads, givenUp, names, end } = await running({ restart: { backoffMs: 1 } })
  const refuse = async (epoch: number, step: 'load' | 'setup'): Promise<void> => {
    const life = await threads[1]!.life(epoch)
    life.say({ type: 'refused', step, error: { name: 'Error', message: `no ${step}`, stack: '' } })
    life.leave()
  }
  threads[1]!.last.die()
  await refuse(1, 'setup')
  await refuse(2, 'load')
  await until(() => givenUp.length > 0, 'the module is given up', 1)
  assert.deepEqual(names(), ['worker.died', 'worker.died'])
  assert.equal(givenUp[0]!.code, 'START_FAILED')
  assert.equal(givenUp[0]!.detail['step'], 'load')
  await end()
})

test('once the pipeline stops no successor starts', async () => {
  const { threads, handles, successors, names, end } = await running({ restart: { backoffMs: 1 } })
  threads[1]!.last.die()
  await handles[1]!.gone
  successors.close()
  assert.deepEqual(names(), ['worker.died'])
  await end()
  assert.equal(threads[1]!.lives.length, 1)
})

test('`detach` lets a stage go on without its handler, until it crashes so too', async () => {
  const restart = { maxRestarts: 0, exhausted: 'detach' }
  const { threads, handles, detachments, givenUp, drained, names, end } = await running({ restart })
  const { stage } = handles[1]!
  threads[1]!.last.die()
  const second = await threads[1]!.life(1)
  assert.deepEqual([detachments.isDetached(stage), givenUp, drained], [true, [], []])
  assert.ok(names().includes('stage.gaveUp') && names().includes('stage.detached'))
  second.getReady()
  await detachments.attach(stage.node)
  await threads[1]!.life(2)
  assert.equal(detachments.isDetached(stage), false)
  ;(await threads[1]!.life(2)).die()
  ;(await threads[1]!.life(3)).die()
  await until(() => givenUp.length > 0, 'the stage is given up', 1)
  assert.equal(givenUp[0]!.code, 'RESTARTS_EXHAUSTED')
  await end()
})

test('`drain` lets it go on so, and tells with which error the pipeline is to end', async () => {
  const { threads, drained, givenUp, end } = await running({ restart: { maxRestarts: 0, exhausted: 'drain' } })
  threads[1]!.last.die()
  await threads[1]!.life(1)
  assert.deepEqual([drained.map(({ code }) => code), givenUp], [['RESTARTS_EXHAUSTED'], []])
  await end()
})
