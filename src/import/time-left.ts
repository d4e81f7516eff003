import type { Progress } from './options.ts'

/** What is left is guessed from what is done: of less nothing can be said. */
const MIN_SHARE = 0.02

/** Milliseconds until an import has ended, about; undefined where nobody can say. @param elapsedMs since it began to read files */
export function timeLeftMs(progress: Progress, elapsedMs: number): number | undefined {
  const share = shareDone(progress)
  return progress.phase !== 'importing' || share < MIN_SHARE || share === 1
    ? undefined
    : (elapsedMs * (1 - share)) / share
}

/** Of the bytes, or of the files where they are empty: 0 to 1. */
export function shareDone({ bytes, loadedBytes, files, endedFiles }: Progress): number {
  return bytes === 0 ? endedFiles / files : loadedBytes / bytes
}
