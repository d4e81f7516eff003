import { errorText } from '../errors.ts'
import type { TraceKind } from '../trace/event.ts'
import type { Tracing } from '../trace/tracing.ts'
import type { EventName, Events } from './events.ts'
import type { TracedInHand } from './traced-hand.ts'

/** Events of workers and of the pipeline that stand on the time line of the traces. */
const KINDS: Readonly<Partial<Record<EventName, TraceKind>>> = {
  'pipeline.started': 'started',
  'pipeline.finished': 'completed',
  'pipeline.failed': 'failed',
  'worker.ready': 'created',
  'worker.died': 'died',
  'worker.restarted': 'restarted',
  'source.paused': 'paused',
  'source.resumed': 'resumed',
}

/**
 * Tells the tracer what happens to workers.
 * @param inHand what a worker that has just died had in hand, and is traced
 */
export function followLifecycle(
  events: Events,
  tracing: Tracing,
  inHand: (node: string, worker: number) => readonly TracedInHand[],
): void {
  events.on('*', ({ name, time, node, worker, epoch, inHand: held, cause, error = cause }) => {
    const kind = KINDS[name]
    if (kind === undefined) return
    const place = {
      node: node as string | undefined,
      worker: worker as number | undefined,
      epoch: epoch as number | undefined,
    }
    const hand = kind === 'died' && held !== 0 ? { hand: inHand(node as string, worker as number) } : {}
    tracing.tell({ kind, time, ...place, ...(error !== undefined && { error: told(error) }), ...hand })
  })
}

function told(error: unknown): { code: string; message: string } {
  const { code, name, message } = errorText(error)
  return { code: code ?? name, message }
}
