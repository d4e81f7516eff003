import type { Context, SetupContext, SinkBatchOptions, SinkWriteOptions } from '../../graph/types.ts'
import { untilConfirmed } from './backoff.ts'

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
  write(records: readonly Readonly<Record<string, unknown>>[], context: Pick<Context, 'fail' | 'signal'>): Promise<void>
  close(): Promise<void>
}

/** Records that one worker of a sink waits for at once. */
const IN_FLIGHT = 256

/** The node options of a sink whose records are confirmed one by one; many are under way at once. */
export function publisherSink<T>(open: (context: SetupContext) => Promise<Publisher>): SinkWriteOptions<T, Publisher> {
  return {
    maxInFlight: IN_FLIGHT,
    setup: open,
    write: (record, { state, id, signal }) => {
      const message: unknown = state.encode(record)
      return untilConfirmed(
        () => state.send(message, id),
        (error) => state.isPassing(error),
        signal,
      ) as Promise<void>
    },
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
