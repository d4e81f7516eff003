import type { MarkedRecord } from '../../durable/entries.ts'
import type { IngressJournal } from '../../durable/ingress-journal.ts'
import { MillraceError } from '../../errors.ts'
import { Marked } from '../../plan/definition.ts'
import type { TraceParent } from '../../lane/trace-parent.ts'
import { Receipt } from '../../worker/source/push.ts'
import { onAbort } from '../on-abort.ts'
import { Call } from './call.ts'
import type { HostWorker } from './host-worker.ts'

/** A record that is pushed, and who is told of it. */
interface Pushing {
  readonly record: unknown
  readonly parent: TraceParent | undefined
  readonly signal: AbortSignal | undefined
  /** Its answer is waited for. */
  readonly call: Call | undefined
}

/** Pushed records of a durable run: each is on the disk before a lane takes it. */
export class Keeping {
  readonly #journal: IngressJournal

  constructor(journal: IngressJournal) {
    this.#journal = journal
  }

  /**
   * Resolves when the record is on the disk and a lane has taken it.
   * @throws RECORD_NOT_ENCODABLE, JOURNAL_FULL, JOURNAL_FAILED, PIPELINE_NOT_RUNNING; the signal's reason
   */
  push({ supply, calls, node }: HostWorker, pushing: Pushing): Promise<Receipt> {
    const { record, parent, signal, call } = pushing
    return new Promise((resolve, reject) => {
      const number = this.#journal.push({ node, isCall: call !== undefined, ...contentOf(record) }, (error) => {
        if (error !== undefined) return reject(error)
        if (signal?.aborted === true) return refuse(signal.reason as Error)
        const receipt = new Receipt(node, number)
        const forget = onAbort(signal, () => {
          takeBack()
          refuse(signal!.reason as Error)
        })
        const settle = (isTaken: boolean): void => {
          forget()
          if (isTaken) resolve(receipt)
          else refuse(new MillraceError('PIPELINE_NOT_RUNNING', { node }))
        }
        const opened = call && calls!.open.bind(calls, call)
        const takeBack = supply!.add({ record, receipt, settle, opened, parent })
      })
      // Whoever is told that a record was not taken may push it again.
      const refuse = (reason: Error): void => {
        this.#journal.end(number)
        reject(reason)
      }
    })
  }

  /** Pushes what an earlier process had accepted, before anything else comes. Nobody waits for it any more. */
  redeliver(workers: readonly HostWorker[]): void {
    for (const { number, node, isCall, value, marks } of this.#journal.records) {
      const { supply, calls } = workers.find((worker) => worker.node === node)!
      const record = marks === undefined ? value : new Marked(value, marks)
      // An output hands the answer to a call, though nobody reads it.
      const opened = isCall ? calls!.open.bind(calls, new Call()) : undefined
      supply!.add({ record, receipt: new Receipt(node, number), settle: () => undefined, opened })
    }
  }
}

function contentOf(record: unknown): { value: unknown; marks?: MarkedRecord } {
  if (!(record instanceof Marked)) return { value: record }
  const { value, cursor, error, flush, id, traceparent, alone, meta, expiresAt } = record as Marked<unknown>
  return {
    value,
    marks: {
      value,
      cursor,
      error,
      flush,
      ...(id !== undefined && { id }),
      ...(traceparent !== undefined && { traceparent }),
      ...(alone && { alone }),
      ...(meta !== undefined && { meta }),
      ...(expiresAt !== undefined && { expiresAt }),
    },
  }
}
