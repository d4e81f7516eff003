import { pathToFileURL } from 'node:url'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { lookOutFor } from '../plan/definition.ts'
import { beWorker } from './find-graph.ts'
import type { WorkerTask } from './protocol.ts'

/** What a thread that is a worker is started with. */
export interface WorkerStart {
  readonly millrace: WorkerTask
}

/** Said by a worker that has left; its thread may be ended. */
export const LEFT_MESSAGE = 'left'

declare const __filename: string | undefined

/**
 * The bundle that this library is a part of; undefined where its files lie on the disk as they were published. Then the worker's
 * entry is a file of its own. A bundle is the entry itself: loaded in a worker, it starts the worker's task.
 */
export const bundleUrl: URL | undefined = urlOfBundle(import.meta.url)

function urlOfBundle(own: string | undefined): URL | undefined {
  if (own !== undefined) return /\/worker\/boot\.[jt]s$/.test(own) ? undefined : new URL(own)
  // Bundles in CommonJS have no `import.meta.url`.
  return typeof __filename === 'string' ? pathToFileURL(__filename) : undefined
}

const task = (workerData as Partial<WorkerStart> | null)?.millrace
if (!isMainThread && task !== undefined) {
  // The user's part of the bundle comes next: what it makes and gives to `run` must be seen.
  if (task.hasFunctions) lookOutFor(task.graph.module, task.serial)
  if (bundleUrl !== undefined) {
    beWorker()
    void start(task)
  }
}

/** Runs the task of a worker's thread. */
async function start(task: WorkerTask): Promise<void> {
  const main = await import('./main.ts')
  await main.default(task)
  parentPort!.postMessage(LEFT_MESSAGE)
}
