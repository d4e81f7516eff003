import { Worker } from 'node:worker_threads'
import type { FromTracer, TracerTask } from '../trace/messages.ts'
import type { TracerLine, TracerListener } from '../trace/tracing.ts'

/** Starts a tracer in a thread of its own. It keeps no process alive, but for while it is held. */
export function startTracer(task: TracerTask, listener: TracerListener): TracerLine {
  const thread = new Worker(new URL('../trace/thread.cjs', import.meta.url), { workerData: task })
  thread.unref()
  thread.on('message', (message: FromTracer) => listener.take(message))
  // The exit comes after it.
  thread.on('error', () => undefined)
  thread.on('exit', () => listener.died())
  return {
    tell: (message) => thread.postMessage(message),
    hold: (isHeld) => (isHeld ? thread.ref() : thread.unref()),
    end: async () => void (await thread.terminate()),
  }
}
