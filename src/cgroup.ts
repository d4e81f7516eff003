import { readFileSync } from 'node:fs'

/** Reads a file of the system; undefined where there is none. */
export type Read = (path: string) => string | undefined

const ROOT = '/sys/fs/cgroup'

/** The folder of a control group, and the version of its files. */
interface GroupFolder {
  readonly version: 1 | 2
  readonly folder: string
}

/**
 * The groups that may limit this process by a controller (`cpu`, `memory`): its own, and all that it lies in. Within a container
 * only the root may be there.
 */
export function groupFolders(read: Read, controller: string): readonly GroupFolder[] {
  return (read('/proc/self/cgroup') ?? '').split('\n').flatMap((line): GroupFolder[] => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (path === undefined) return []
    if (controllers === '') return upwards(ROOT, path).map((folder) => ({ version: 2, folder }))
    if (!controllers!.split(',').includes(controller)) return []
    return [...new Set([controllers!, controller])].flatMap((mount) =>
      upwards(`${ROOT}/${mount}`, path).map((folder) => ({ version: 1, folder })),
    )
  })
}

function upwards(root: string, path: string): string[] {
  const names = path.split('/').filter((name) => name !== '')
  return Array.from({ length: names.length + 1 }, (_, i) => [root, ...names.slice(0, names.length - i)].join('/'))
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
