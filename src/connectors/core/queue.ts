import type {
  AckContext,
  Context,
  PolledBatch,
  SetupContext,
  SinkBatchOptions,
  SinkWriteOptions,
  SourceContext,
  SourceOptions,
} from '../../graph/types.ts'

/** One worker's side of a queue at a server. */
export interface MessageQueue {
  poll(demand: number, context: SourceContext): PolledBatch<unknown> | Promise<PolledBatch<unknown>>
  ack(successes: readonly unknown[], failures: readonly unknown[], context: AckContext): Promise<void>
  /** Gives back what was not polled, and leaves. */
  close(): Promise<void>
}

/** One worker's side of a place that takes single records, and confirms each. */
export interface Publisher {
  write(record: unknown, context: Pick<Context, 'id' | 'signal'>): Promise<void>
  close(): Promise<void>
}

/** One worker's side of a place that takes batches. */
export interface BatchWriter {
  write(records: readonly Readonly<Record<string, unknown>>[], context: Pick<Context, 'fail' | 'signal'>): Promise<void>
  close(): Promise<void>
}

/** Records that one worker of a sink waits for at once. */
const IN_FLIGHT = 256

/** The node options of a source of messages. */
export function queueSource<T>(
  window: number,
  open: (context: SetupContext) => Promise<MessageQueue>,
): SourceOptions<T, MessageQueue> {
  return {
    window,
    setup: open,
    poll: (demand, context) => context.state.poll(demand, context) as PolledBatch<T>,
    ack: (successes, failures, context) => context.state.ack(successes, failures, context),
    teardown: (state) => state.close(),
  }
}

/** The node options of a sink whose records are confirmed one by one; many are under way at once. */
export function publisherSink<T>(open: (context: SetupContext) => Promise<Publisher>): SinkWriteOptions<T, Publisher> {
  return {
    maxInFlight: IN_FLIGHT,
    setup: open,
    write: (record, context) => context.state.write(record, context),
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
