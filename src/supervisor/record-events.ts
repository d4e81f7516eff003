import type { WorkerPlan } from '../plan/types.ts'
import type { WorkerEvent } from '../worker/stage.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Events } from './events.ts'

/** What workers tell of records: to listeners, to the list of dead letters, and to the calls that wait for them. */
export class RecordEvents {
  readonly #events: Events
  readonly #deadLetters: DeadLetters
  readonly #onGivenUp: (event: WorkerEvent) => void

  constructor(events: Events, deadLetters: DeadLetters, onGivenUp: (event: WorkerEvent) => void) {
    this.#events = events
    this.#deadLetters = deadLetters
    this.#onGivenUp = onGivenUp
  }

  /** @param event its node may be one that the worker's stage runs inline */
  tell({ ordinal }: WorkerPlan, epoch: number, event: WorkerEvent): void {
    const { name, input, ...fields } = event
    if (name === 'record.failed' || name === 'record.deadLettered') {
      const outcome = name === 'record.failed' ? 'failed' : 'deadLettered'
      // A record may be undefined itself: it is another thing that there is none to be had.
      const had = 'input' in event ? { input } : {}
      this.#deadLetters.add({ ...fields, ...had, outcome, worker: ordinal })
      this.#onGivenUp({ name, ...fields })
    }
    this.#events.emit(name, { worker: ordinal, epoch, ...fields })
  }
}
