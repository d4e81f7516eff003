import type { Snapshot } from '../telemetry/snapshot.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import type { Receipt } from '../worker/source/push.ts'

/** How a record of a test ended. */
export interface TestedRecord extends TestedOutputs {
  readonly outcome: 'acked' | 'failed'
  /** The error of the handler, where it is known (`receipt.done`), else `RECORD_FAILED`. */
  readonly error?: Error
}

/** How the records of a test ended. */
export interface TestedBatch extends TestedOutputs {
  readonly successes: readonly unknown[]
  readonly failures: readonly { readonly record: unknown; readonly error: Error }[]
}

interface TestedOutputs {
  /** What came out meanwhile, by sink without `write`. */
  readonly outputs: Readonly<Record<string, readonly unknown[]>>
}

/**
 * Sends one record into a running pipeline and waits for its end: through a source with `push: true`, or straight to any other node (run
 * option `inject`). No batch waits for more. All outputs are read meanwhile, so nobody else may read them.
 * @throws NODE_NOT_PUSHED, NODE_UNKNOWN, INJECT_OFF, PIPELINE_NOT_RUNNING, RECORD_ABANDONED
 */
export async function testRecord(pipeline: Pipeline, node: string, record: unknown): Promise<TestedRecord> {
  const { failures, outputs } = await testBatch(pipeline, node, [record])
  const [failure] = failures
  return failure === undefined ? { outcome: 'acked', outputs } : { outcome: 'failed', error: failure.error, outputs }
}

/** The same with many records, in their order: they come to batches together. @throws what `testRecord` throws */
export async function testBatch(pipeline: Pipeline, node: string, records: readonly unknown[]): Promise<TestedBatch> {
  const outputs = new Outputs(pipeline)
  try {
    const receipts = await sent(pipeline, node, records)
    // Asked for at once, so that reasons are kept for them.
    const ends = Promise.allSettled(receipts.map(({ done }) => done))
    await pipeline.flush()
    const successes: unknown[] = []
    const failures: TestedBatch['failures'][number][] = []
    for (const [i, end] of (await ends).entries()) {
      if (end.status === 'fulfilled') successes.push(records[i])
      else failures.push({ record: records[i], error: reasonOf(end.reason as Error) })
    }
    return { successes, failures, outputs: outputs.records }
  } finally {
    outputs.close()
  }
}

/**
 * Completes all open batches, and resolves when all that sources have handed on has ended, with what was counted by then. A push resolves
 * when a lane has taken its record, so it counts. @throws PIPELINE_NOT_RUNNING
 */
export async function settled(pipeline: Pipeline): Promise<Snapshot> {
  await pipeline.flush()
  return pipeline.snapshot()
}

async function sent(pipeline: Pipeline, node: string, records: readonly unknown[]): Promise<readonly Receipt[]> {
  const { plan } = pipeline
  if (plan.stages.some((stage) => stage.node === node && stage.kind === 'source'))
    return pipeline.pushAll(node, records)
  const receipts: Receipt[] = []
  for (const record of records) receipts.push(await pipeline.inject(node, record))
  return receipts
}

/** The handler's error, where the receipt knows it. */
function reasonOf(error: Error): Error {
  return error.cause instanceof Error ? error.cause : error
}

/** Reads all outputs of a pipeline. */
class Outputs {
  readonly records: Record<string, unknown[]> = {}
  readonly #readers: AsyncIterableIterator<unknown>[] = []

  constructor(pipeline: Pipeline) {
    for (const { node, work } of pipeline.plan.stages) {
      if (work !== 'output') continue
      const reader = pipeline.output(node)
      this.#readers.push(reader)
      void this.#read(reader, (this.records[node] = []))
    }
  }

  close(): void {
    for (const reader of this.#readers) void reader.return?.()
  }

  async #read(reader: AsyncIterableIterator<unknown>, into: unknown[]): Promise<void> {
    for await (const record of reader) into.push(record)
  }
}
