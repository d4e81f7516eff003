import { MillraceError, errorOf } from '../errors.ts'
import type { Plan, WorkerPlan } from '../plan/types.ts'
import type { WorkerEvent } from '../worker/stage.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Events } from './events.ts'

/** What is done with what workers tell. */
interface RecordEventsPipeline {
  readonly plan: Plan
  readonly events: Events
  readonly deadLetters: DeadLetters
  fail(error: MillraceError): void
}

/** What workers tell of records: to listeners, to the list of dead letters, and to the calls that wait for them. */
export class RecordEvents {
  readonly #pipeline: RecordEventsPipeline
  readonly #onGivenUp: (event: WorkerEvent) => void

  constructor(pipeline: RecordEventsPipeline, onGivenUp: (event: WorkerEvent) => void) {
    this.#pipeline = pipeline
    this.#onGivenUp = onGivenUp
  }

  /** @param event its node may be one that the worker's stage runs inline */
  tell({ ordinal, stage }: WorkerPlan, epoch: number, event: WorkerEvent): void {
    const { events, deadLetters, plan } = this.#pipeline
    const { name, input, ...fields } = event
    if (name === 'record.failed' || name === 'record.deadLettered') {
      const outcome = name === 'record.failed' ? 'failed' : 'deadLettered'
      // A record may be undefined itself: it is another thing that there is none to be had.
      const had = 'input' in event ? { input } : {}
      deadLetters.add({ ...fields, ...had, outcome, worker: ordinal })
      this.#onGivenUp({ name, ...fields })
    }
    events.emit(name, { worker: ordinal, epoch, ...fields })
    const { node, source } = plan.stages[stage]!
    if (name !== 'ack.failed' || source?.ack?.retry.exhausted !== 'stop') return
    const detail = { node, worker: ordinal, attempts: event.attempts, reason: event.error.message }
    this.#pipeline.fail(new MillraceError('ACK_FAILED', detail, { cause: errorOf(event.error) }))
  }
}
