import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ImportBusy, ImportProblem, messageOf } from './problem.ts'

/**
 * Keeps other imports off the embedded database, which takes one process.
 * @returns what lets them in again
 * @throws ImportBusy where another import has it; ImportProblem where the directory cannot be written to
 */
export function lockEmbedded(directory: string): () => void {
  const path = join(directory, 'import.pid')
  for (;;) {
    try {
      mkdirSync(directory, { recursive: true })
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new ImportProblem(`The embedded database cannot be kept in ${directory}: ${messageOf(error)}`, {
          cause: error,
        })
      }
    }
    const owner = ownerOf(path)
    if (owner !== undefined && isAlive(owner)) {
      throw new ImportBusy(`Another import (process ${owner}) is using the embedded database in ${directory}.`)
    }
    rmSync(path, { force: true })
  }
}

function ownerOf(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function isAlive(process_: number): boolean {
  try {
    process.kill(process_, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
