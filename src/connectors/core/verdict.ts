import type { AckContext } from '../../graph/types.ts'

/** How a source's messages are to be settled at their server. */
interface Verdicts<R> {
  /** They are done: the server may forget them. */
  readonly done: R[]
  /** They failed, and are to be delivered again after a pause. */
  readonly again: { readonly receipt: R; readonly delayMs: number }[]
  /** They failed for the last time: the server is to forget them. */
  readonly over: R[]
}

const MOST_DOUBLINGS = 6

/**
 * What a server is to do with messages that have ended. A failed one comes again until its deliveries are used up. One that a
 * buffer dropped is done: so the graph wants it. One that the pipeline's end cut off comes again at once.
 */
export function verdicts<R extends { readonly deliveries: number }>(
  successes: readonly unknown[],
  failures: readonly unknown[],
  { reasons }: Pick<AckContext, 'reasons'>,
  { maxDeliveries, redeliverMs }: { readonly maxDeliveries: number; readonly redeliverMs: number },
): Verdicts<R> {
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
