import type { WorkerStart } from './boot.ts' with { 'resolution-mode': 'import' }

/**
 * What a worker's thread starts with: see `main.ts`. Node (20.20) ends the whole process when a thread is terminated while it
 * requires an ES module: so this is none, and the rest comes by `import`.
 */
async function start(): Promise<void> {
  const [main, { LEFT_MESSAGE }, { parentPort, workerData }] = await Promise.all([
    import('./main.ts'),
    import('./boot.ts'),
    import('node:worker_threads'),
  ])
  await main.default((workerData as WorkerStart).millrace)
  parentPort!.postMessage(LEFT_MESSAGE)
}

void start()
