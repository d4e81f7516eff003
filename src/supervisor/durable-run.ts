import type { IngressJournal } from '../durable/ingress-journal.ts'
import { errorText } from '../errors.ts'
import type { Memory } from '../memory/memory.ts'
import type { Plan } from '../plan/types.ts'
import type { Events } from './events.ts'
import { KeptCursors } from './kept-cursors.ts'

/** What a durable run has beside others: its journal, and how often it looks where sources are. */
export interface DurableOptions {
  readonly journal: IngressJournal
  readonly cursorMs: number
}

/** The ingress journal between the start and the end of a pipeline. */
export class DurableRun {
  readonly journal: IngressJournal
  readonly #cursors: KeptCursors
  readonly #cursorMs: number
  readonly #events: Events

  /** Before any worker runs. @throws JOURNAL_DIFFERS */
  constructor({ journal, cursorMs }: DurableOptions, memory: Memory, plan: Plan, events: Events) {
    this.journal = journal
    this.#cursorMs = cursorMs
    this.#events = events
    this.#cursors = new KeptCursors(journal, memory, plan)
    this.#cursors.restore()
    journal.onTrouble = (error) =>
      events.emit(error.code === 'JOURNAL_FULL' ? 'journal.full' : 'journal.failed', { error: errorText(error) })
  }

  begin(): void {
    const { cursors, figures } = this.journal
    const { restored: records, tornBytes } = figures
    this.#events.emit('journal.opened', { records, cursors: cursors.length, tornBytes })
    this.#cursors.begin(this.#cursorMs)
  }

  /** All workers have left. */
  async end(): Promise<void> {
    this.#cursors.end()
    await this.journal.close()
  }
}
