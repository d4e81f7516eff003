import type { WorkerTask } from './protocol.ts' with { 'resolution-mode': 'import' }

/**
 * The task of a pool's thread: see `main.ts`. Piscina loads this file by `require`, and Node (20.20) ends the whole process when a
 * thread is terminated while it requires an ES module: so this is none, and the rest comes by `import`.
 */
module.exports = async (task: WorkerTask): Promise<void> => {
  const main = await import('./main.ts')
  return main.default(task)
}
