import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Reads a file of the system; undefined where there is none. */
type Read = (path: string) => string | undefined

const ROOT = '/sys/fs/cgroup'

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
  const groups = (read('/proc/self/cgroup') ?? '').split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    return path === undefined ? [] : quotasOf(read, controllers!, path)
  })
  return Math.min(parallelism, ...groups)
}

function quotasOf(read: Read, controllers: string, path: string): number[] {
  if (controllers === '') return upwards(ROOT, path).flatMap((folder) => quota(...pair(read(`${folder}/cpu.max`))))
  if (!controllers.split(',').includes('cpu')) return []
  return [controllers, 'cpu'].flatMap((mount) =>
    upwards(`${ROOT}/${mount}`, path).flatMap((folder) =>
      quota(read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)),
    ),
  )
}

/** The folders of a group and of all those that it lies in. Within a container only the root may be there. */
function upwards(root: string, path: string): string[] {
  const names = path.split('/').filter((name) => name !== '')
  return Array.from({ length: names.length + 1 }, (_, i) => [root, ...names.slice(0, names.length - i)].join('/'))
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

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
