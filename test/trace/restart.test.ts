/** A tracer that dies: its successor goes on at the rings, and what was asked is answered. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow } from 'millrace'
import { Journal } from '#src/lane/journal.js'
import { TraceWriter } from '#src/lane/trace.js'
import { type Memory, viewMemory } from '#src/memory/memory.js'
import { EVENT_KINDS, INPUTS, KIND, OUTPUTS, RECORDS, SLOTS } from '#src/memory/trace.js'
import { plan } from '#src/plan/plan.js'
import type { Plan } from '#src/plan/types.js'
import { TracerHost } from '#src/trace/host.js'
import type { FromTracer, ToTracer, TracerTask } from '#src/trace/messages.js'
import { type TracerLine, type TracerListener, Tracing } from '#src/trace/tracing.js'

/** What is internal to the library, and not in its types. */
interface Inner extends Tracing {
  settle(): Promise<void>
}
type StartThread = (task: TracerTask, listener: TracerListener) => TracerLine
const Made = Tracing as unknown as new (memory: Memory, task: TracerTask, startThread: StartThread) => Inner

const restarted = dataflow('restarted', import.meta.url)
  .source('in', { produce: () => [] })
  .sink('out', { write: () => undefined })
  .connect('in', 'out')

function tracingOf(startThread: StartThread): { planned: Plan; memory: Memory; tracing: Inner } {
  const planned = plan(restarted, { trace: {} })
  const shared = new SharedArrayBuffer(planned.memoryBytes)
  const memory = viewMemory(shared)
  const tracing = new Made(memory, { memory: shared, plan: planned, recent: 10 }, startThread)
  return { planned, memory, tracing }
}

test('the successor of a dead tracer reads what its predecessor has left in the rings', async () => {
  const listeners: TracerListener[] = []
  const hosts: TracerHost[] = []
  const { planned, memory, tracing } = tracingOf((task, listener) => {
    const host = new TracerHost(task, (message: FromTracer) => listener.take(message))
    hosts.push(host)
    listeners.push(listener)
    return { tell: (message) => host.take(message), hold: () => undefined, end: async () => host.stop() }
  })
  const [worker] = planned.workers
  const journal = new Journal(memory, worker!.journal)
  const writer = new TraceWriter(memory, worker!.trace!, journal)
  const write = (records: number): void => {
    const at = writer.begin()
    writer.words[at + KIND] = EVENT_KINDS.indexOf('hop')
    writer.words[at + RECORDS] = records
    for (const word of [SLOTS, INPUTS, OUTPUTS]) writer.words[at + word] = 0
    writer.stage(journal)
    journal.commit()
  }
  write(1)
  await tracing.flush()
  hosts[0]!.stop()
  listeners[0]!.died()
  write(2)
  // Asked while there is none.
  const lifecycle = await tracing.flush().then(() => tracing.lifecycle())
  assert.deepEqual(
    lifecycle.map(({ records }) => records),
    [2],
  )
  assert.equal((await tracing.metrics()).deaths, 1)
  await tracing.settle()
  assert.equal((await tracing.lifecycle()).length, 1)
})

const isAboutTrace = (message: ToTracer): boolean => message.type === 'ask' && message.what.about === 'trace'

test('who asks while the pipeline ends is answered, though the tracer is gone before it has answered', async () => {
  const { tracing } = tracingOf((task, listener) => {
    const host = new TracerHost(task, (message: FromTracer) => listener.take(message))
    return {
      tell: (message) => isAboutTrace(message) || host.take(message),
      hold: () => undefined,
      end: async () => host.stop(),
    }
  })
  const asked = tracing.trace('0123456789abcdef')
  await tracing.settle()
  assert.equal(await asked, undefined)
})
