/** Whole workers, as `worker/thread/main.ts` runs them, and what the supervisor does after a death of one. */
import { load, store } from '#atomics'
import { ring } from '#src/lane/doorbell.js'
import { type Memory, viewMemory } from '#src/memory/memory.js'
import { LIVE, PHASE, STATE, STOPPING } from '#src/memory/control.js'
import type { Plan } from '#src/plan/types.js'
import { recoverWorker } from '#src/supervisor/recovery.js'
import type { Handlers } from '#src/worker/call/handlers.js'
import { Loop } from '#src/worker/loop/loop.js'
import { makeParts } from '#src/worker/parts.js'
import { RecordStage } from '#src/worker/stages/records.js'
import { SourceStage } from '#src/worker/stages/source.js'
import type { Stage } from '#src/worker/stage.js'

export function work(memory: Memory, plan: Plan, number: number, handlers: Handlers): void {
  const worker = plan.workers[number]!
  const { signal } = new AbortController()
  const parts = makeParts({
    plan,
    worker: number,
    memory,
    assembly: viewMemory(new ArrayBuffer(0)),
    handlers,
    state: undefined,
    stopped: signal,
    draining: signal,
    wake: () => undefined,
    report: () => undefined,
  })
  const stage: Stage = parts.source === undefined ? new RecordStage(parts) : new SourceStage(parts)
  const loop = new Loop({
    plan,
    worker,
    memory,
    stage,
    clock: parts.clock,
    onEnded: () => stop(memory, plan),
    beforeWait: () => parts.outlet.wakePeers(true),
  })
  store(memory.words, worker.control.offset / 4 + STATE, LIVE)
  void loop.run()
}

export function workAgain(memory: Memory, plan: Plan, number: number, handlers: Handlers): void {
  recoverWorker(memory, plan, plan.workers[number]!)
  // The one that stops the pipeline here is the source's thread; the supervisor does not die in the middle of it.
  if (load(memory.words, plan.control.offset / 4 + PHASE) === STOPPING) stop(memory, plan)
  work(memory, plan, number, handlers)
}

/** What the supervisor does when the source has said that all of its records have ended. */
function stop(memory: Memory, plan: Plan): void {
  store(memory.words, plan.control.offset / 4 + PHASE, STOPPING)
  for (const { control } of plan.workers) ring(memory.words, control.doorbell)
}
