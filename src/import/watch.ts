import { basename, resolve } from 'node:path'
import { clearTimeout, setTimeout } from '../time.ts'
import { ImportProblem, messageOf } from './problem.ts'

/** After the last change nothing may change for so long: whoever copies files in is not done before. */
const SETTLE_MS = 2_000

interface Watched {
  readonly directory: string
  /** Files came, went or changed, and then nothing did for a while. */
  readonly onChange: () => void
  readonly onProblem: (problem: string) => void
  /** How long nothing may change. Default: 2,000. */
  readonly settleMs?: number | undefined
}

/**
 * Watches a directory and all below it; hidden files and folders are left out.
 * @returns what ends it
 * @throws ImportProblem without the package chokidar
 */
export async function watchDirectory(watching: Watched): Promise<() => Promise<void>> {
  const { onChange, onProblem, settleMs = SETTLE_MS } = watching
  const { watch } = await import('chokidar').catch((error: unknown) => {
    throw new ImportProblem('Watching a directory needs the package chokidar: npm install chokidar', { cause: error })
  })
  const directory = resolve(watching.directory)
  const watcher = watch(directory, {
    ignoreInitial: true,
    ignored: (path) => path !== directory && basename(path).startsWith('.'),
  })
  let timer: NodeJS.Timeout | undefined
  watcher.on('all', () => {
    clearTimeout(timer)
    timer = setTimeout(onChange, settleMs)
  })
  watcher.on('error', (error) => onProblem(`The directory ${directory} cannot be watched: ${messageOf(error)}`))
  await new Promise<void>((settle) => watcher.once('ready', () => settle()))
  return async () => {
    clearTimeout(timer)
    await watcher.close()
  }
}
