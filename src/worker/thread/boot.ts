import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { lookOutFor } from '../../plan/definition.ts'
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
export const bundleUrl: URL | undefined = urlOfBundle()

/** The bundler has replaced `import.meta.url` by where the sources lay: then no graph of the bundle knows its module. */
export const hasLostUrls: boolean = bundleUrl !== undefined && isRewritten(import.meta.url)

function urlOfBundle(): URL | undefined {
  const files = evaluatedFiles()
  const own = files[0] ?? import.meta.url ?? (typeof __filename === 'string' ? fileUrl(__filename) : undefined)
  if (own === undefined || !own.startsWith('file:') || isPublished(own)) return undefined
  // A bundle in several files: the one that is evaluated has the others do their part.
  return new URL(files.at(-1) ?? own)
}

/**
 * The worker's entry is beside this file, or where it lies for a chunk of the package as it is published. Deno says where the source lies
 * that this file was made of.
 */
function isPublished(url: string): boolean {
  return ['entry.cjs', 'entry.cts', '../worker/thread/entry.cjs'].some((name) => existsSync(new URL(name, url)))
}

function isRewritten(url: string | undefined): boolean {
  return url !== undefined && !evaluatedFiles().includes(url)
}

/**
 * The files that are being evaluated, this one first, as URLs. Bundlers rewrite `import.meta.url`, each in its own way; the stack
 * says what runs.
 */
function evaluatedFiles(): readonly string[] {
  const before = {
    prepareStackTrace: Reflect.get(Error, 'prepareStackTrace') as unknown,
    stackTraceLimit: Error.stackTraceLimit,
  }
  try {
    Error.stackTraceLimit = Infinity
    Error.prepareStackTrace = (_, sites) => sites
    const sites = new Error().stack as unknown as readonly NodeJS.CallSite[]
    const names = sites.map((site) => site.getFileName() ?? '')
    const ofNode = names.findIndex((name) => name.startsWith('node:'))
    return names
      .slice(0, ofNode < 0 ? undefined : ofNode)
      .map(fileUrl)
      .filter((name) => name.startsWith('file:'))
  } finally {
    Object.assign(Error, before)
  }
}

function fileUrl(name: string): string {
  return isAbsolute(name) ? pathToFileURL(name).href : name
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
