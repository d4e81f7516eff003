import type { WorkerTask } from './protocol.ts'

/**
 * The rest of a worker comes by `import`, because Piscina loads this file by `require`: Node (20.20) ends the whole process when
 * a thread is terminated while it loads modules that way.
 */
const main = import('./main.ts')

/** The task of a pool's thread: see `main.ts`. */
export default async function work(task: WorkerTask): Promise<void> {
  return (await main).default(task)
}
