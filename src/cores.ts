import { availableParallelism } from 'node:os'
import { type Read, groupFolders, readIfThere } from './cgroup.ts'

/**
 * Cores that this process may use: those that it may run on, and no more than the quota of its container, which may be a part of
 * a core. For a `concurrency`, round it down, and take 1 at least.
 */
export function availableCores(): number {
  return coresOf(readIfThere, availableParallelism())
}

/**
 * The same from files of the system: `/proc/self/cgroup`, and the quota of each group from the process's own up to the root.
 * @param parallelism cores that the process may run on
 */
export function coresOf(read: Read, parallelism: number): number {
  const quotas = groupFolders(read, 'cpu').flatMap(({ version, folder }) =>
    version === 2
      ? quota(...pair(read(`${folder}/cpu.max`)))
      : quota(read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)),
  )
  return Math.min(parallelism, ...quotas)
}

function pair(text: string | undefined): [string | undefined, string | undefined] {
  const [quota, period] = (text ?? '').trim().split(' ')
  return [quota, period]
}

/** Microseconds of core time in each period; `max` or -1: no limit. */
function quota(quotaUs: string | undefined, periodUs: string | undefined): number[] {
  const cores = Number(quotaUs) / Number(periodUs)
  return cores > 0 && cores < Infinity ? [cores] : []
}
