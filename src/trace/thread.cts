import type { FromTracer, ToTracer, TracerTask } from './messages.ts' with { 'resolution-mode': 'import' }

/** What the tracer's thread starts with. As a worker's entry it is no ES module, so that it may be terminated at any time. */
async function start(): Promise<void> {
  const [{ TracerHost }, { parentPort, workerData }] = await Promise.all([
    import('./host.ts'),
    import('node:worker_threads'),
  ])
  const host = new TracerHost(workerData as TracerTask, (message: FromTracer) => parentPort!.postMessage(message))
  parentPort!.on('message', (message: ToTracer) => host.take(message))
}

void start()
