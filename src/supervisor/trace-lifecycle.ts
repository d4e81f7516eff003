import { errorText } from '../errors.ts'
import type { TraceKind } from '../trace/event.ts'
import type { Tracing } from '../trace/tracing.ts'
import type { EventName, Events } from './events.ts'

/** Events of workers and of the pipeline that stand on the time line of the traces. */
const KINDS: Readonly<Partial<Record<EventName, TraceKind>>> = {
  'pipeline.started': 'started',
  'pipeline.finished': 'completed',
  'pipeline.failed': 'failed',
  'worker.ready': 'created',
  'worker.died': 'died',
  'worker.restarted': 'restarted',
}

/** Tells the tracer what happens to workers. */
export function followLifecycle(events: Events, tracing: Tracing): void {
  events.on('*', ({ name, time, node, worker, epoch, cause, error = cause }) => {
    const kind = KINDS[name]
    if (kind === undefined) return
    const place = {
      node: node as string | undefined,
      worker: worker as number | undefined,
      epoch: epoch as number | undefined,
    }
    tracing.tell({ kind, time, ...place, ...(error !== undefined && { error: told(error) }) })
  })
}

function told(error: unknown): { code: string; message: string } {
  const { code, name, message } = errorText(error)
  return { code: code ?? name, message }
}
