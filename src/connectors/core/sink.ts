import type { Context, SetupContext, SinkBatchOptions, SinkWriteOptions } from '../../graph/types.ts'
import { Reach, untilConfirmedAgain } from './backoff.ts'

/** One worker's side of a place that takes single records, and confirms each. */
export interface Publisher<M = any> {
  encode(record: unknown): M
  /** Resolves when the server has confirmed it. What is sent twice has the same id. */
  send(message: M, id: string): Promise<unknown>
  /** The error says only that the server cannot be reached now, or answers too late. */
  isPassing(error: unknown): boolean
  close(): Promise<void> | void
}

/** One worker's side of a place that takes batches. */
export interface BatchWriter {
  write(
    records: readonly Readonly<Record<string, unknown>>[],
    context: Pick<Context, 'batch' | 'fail' | 'id' | 'signal'>,
  ): Promise<void>
  close(): Promise<void>
}

/** Records that one worker of a sink waits for at once. */
const IN_FLIGHT = 256

/** What one worker sends, until it is confirmed: the server may be away for a while. */
export class Outbox {
  readonly #publisher: Publisher
  readonly #reach: Reach
  readonly #isPassing: (error: unknown) => boolean

  private constructor(publisher: Publisher, reach: Reach) {
    this.#publisher = publisher
    this.#reach = reach
    this.#isPassing = (error) => publisher.isPassing(error)
  }

  static async open(context: SetupContext, open: (context: SetupContext) => Promise<Publisher>): Promise<Outbox> {
    return new Outbox(await open(context), new Reach(context))
  }

  /**
   * Encodes and sends a record. The signal of its call is not made unless the first try fails.
   * @throws what `encode` throws, at once
   */
  send(record: unknown, id: string, call: Pick<Context, 'signal'>): Promise<unknown> {
    const message: unknown = this.#publisher.encode(record)
    return this.#publisher.send(message, id).catch((error: unknown) => {
      const again = (): Promise<unknown> => this.#publisher.send(message, id)
      return untilConfirmedAgain(error, again, this.#isPassing, call.signal, this.#reach)
    })
  }

  close(): Promise<void> | void {
    return this.#publisher.close()
  }
}

/** The node options of a sink whose records are confirmed one by one; many are under way at once. */
export function publisherSink<T>(open: (context: SetupContext) => Promise<Publisher>): SinkWriteOptions<T, Outbox> {
  return {
    maxInFlight: IN_FLIGHT,
    setup: (context) => Outbox.open(context, open),
    write: (record, context) => context.state.send(record, context.id, context) as Promise<void>,
    teardown: (state) => state.close(),
  }
}

/** The node options of a sink whose records are confirmed by the batch. */
export function writerSink<T>(
  batch: { readonly size: number; readonly timeoutMs: number },
  open: (context: SetupContext) => Promise<BatchWriter>,
): SinkBatchOptions<T, BatchWriter> {
  return {
    batch,
    setup: open,
    write: (records, context) => context.state.write(records as never, context),
    teardown: (state) => state.close(),
  }
}
