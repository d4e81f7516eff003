import type { AckContext } from '../../graph/types.ts'
import type { MessageReceipt } from './receipt.ts'

/** How a source's messages are to be settled at their server. */
export interface MessageEnds<R> {
  /** They are done: the server may forget them. */
  readonly done: readonly R[]
  /** They failed, and are to be delivered again after a pause; or they were not tried, and are to be delivered at once. */
  readonly again: readonly { readonly receipt: R; readonly delayMs: number }[]
  /** They failed for the last time: the server is to forget them. */
  readonly over: readonly R[]
}

const MOST_DOUBLINGS = 6

/**
 * What a server is to do with messages that have ended. A failed one comes again until its deliveries are used up. One that a
 * buffer dropped is done: so the graph wants it. One that the pipeline's end cut off comes again at once.
 */
export function messageEnds<R extends MessageReceipt>(
  successes: readonly unknown[],
  failures: readonly unknown[],
  { reasons }: Pick<AckContext, 'reasons'>,
  { maxDeliveries, redeliverMs }: { readonly maxDeliveries: number; readonly redeliverMs: number },
): MessageEnds<R> {
  const done = [...successes] as R[]
  const again: { receipt: R; delayMs: number }[] = []
  const over: R[] = []
  for (const [i, receipt] of (failures as readonly R[]).entries()) {
    const outcome = reasons[i]?.outcome
    const doublings = Math.min(MOST_DOUBLINGS, receipt.deliveries - 1)
    if (outcome === 'dropped') done.push(receipt)
    else if (outcome === 'abandoned') again.push({ receipt, delayMs: 0 })
    else if (receipt.deliveries >= maxDeliveries) over.push(receipt)
    else again.push({ receipt, delayMs: redeliverMs * 2 ** doublings })
  }
  return { done, again, over }
}

/** Messages that were not tried are delivered again at once. */
export function untried<R>(receipts: readonly R[]): MessageEnds<R> {
  return { done: [], over: [], again: receipts.map((receipt) => ({ receipt, delayMs: 0 })) }
}

/** All of them. */
export function settledBy<R>({ done, over, again }: MessageEnds<R>): readonly R[] {
  return [...done, ...over, ...again.map(({ receipt }) => receipt)]
}
