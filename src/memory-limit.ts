import { totalmem } from 'node:os'
import { type Read, groupFolders, readIfThere } from './cgroup.ts'

/** Bytes of memory that this process may use: those of the machine, and no more than the limit of its container. */
export function availableMemory(): number {
  return memoryOf(readIfThere, totalmem())
}

/**
 * The same from files of the system: `/proc/self/cgroup`, and the limit of each group from the process's own up to the root.
 * @param total bytes of the machine
 */
export function memoryOf(read: Read, total: number): number {
  const limits = groupFolders(read, 'memory').map(({ version, folder }) =>
    Number(read(`${folder}/${version === 2 ? 'memory.max' : 'memory.limit_in_bytes'}`)),
  )
  return Math.min(total, ...limits.filter((bytes) => bytes > 0))
}
