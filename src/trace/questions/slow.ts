import type { TraceRange, TraceSource } from '../source.ts'

/** One frame on its way from a stage to the next. */
export interface Transfer {
  readonly trace: string
  readonly node: string
  readonly edge: number
  readonly records: number
  readonly bytes?: number | undefined
  /** Records on the lane when it was taken, itself included. */
  readonly depth?: number | undefined
  readonly writtenAt: number
  readonly waitMs: number
  readonly serviceMs: number
  readonly attempt: number
  readonly sequence: number
}

export interface SlowOptions extends TraceRange {
  /** Only what came to this node. */
  readonly node?: string | undefined
  /** `wait`: longest on the lane (default); `service`: longest in the handler. */
  readonly by?: 'wait' | 'service' | undefined
  /** Only from so many milliseconds on. Default: 0. */
  readonly minMs?: number | undefined
  /** Transfers at most. Default: 20. */
  readonly limit?: number | undefined
}

/** The slowest transfers, slowest first. */
export async function slowTransfers(source: TraceSource, options: SlowOptions = {}): Promise<Transfer[]> {
  const { node: only, by = 'wait', minMs = 0, limit = 20, ...range } = options
  const timeOf = (transfer: Transfer): number => (by === 'wait' ? transfer.waitMs : transfer.serviceMs)
  const isSlower = (a: Transfer, b: Transfer): number => timeOf(b) - timeOf(a) || a.sequence - b.sequence
  let slowest: Transfer[] = []
  for await (const block of source.read(range)) {
    for (const { node, inputs, traces, takenAt, serviceMs, attempt, sequence } of block)
      for (const { edge, count, bytes, depth, writtenAt } of inputs) {
        if (edge === undefined || writtenAt === undefined || (only !== undefined && node !== only)) continue
        const times = { writtenAt, waitMs: takenAt - writtenAt, serviceMs }
        const found: Transfer = {
          trace: traces[0] ?? '',
          node,
          edge,
          records: count,
          bytes,
          depth,
          ...times,
          attempt,
          sequence,
        }
        if (timeOf(found) >= minMs) slowest.push(found)
      }
    slowest = slowest.sort(isSlower).slice(0, limit)
  }
  return slowest
}
