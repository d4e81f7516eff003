import { readdir, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { wallMs } from '../../../time.ts'

export interface RetentionOptions {
  /** Segments whose last event is older go. Default: 30 days. */
  readonly maxAgeMs?: number
  /** The oldest go while there are more bytes. Default: 10 GiB. */
  readonly maxBytes?: number
}

interface SegmentPlace {
  readonly run: string
  readonly number: number
  readonly path: string
}

/** All segments below a folder, in the order in which each run wrote them; none where there is no such folder. */
export async function segmentsOf(directory: string): Promise<SegmentPlace[]> {
  const names = await readdir(directory, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names
    .flatMap((name): SegmentPlace[] => {
      const found = /^([\da-f]{16})[\\/](\d+)\.seg$/.exec(name)
      return found === null ? [] : [{ run: found[1]!, number: Number(found[2]), path: join(directory, name) }]
    })
    .sort((a, b) => (a.run === b.run ? a.number - b.number : a.run < b.run ? -1 : 1))
}

/** Removes segments that are too old, then the oldest while they are too many bytes. Retention is the removal of files. */
export async function expire(directory: string, options: RetentionOptions, kept: ReadonlySet<string>): Promise<void> {
  const { maxAgeMs = 30 * 86_400_000, maxBytes = 10 * 2 ** 30 } = options
  const found = []
  for (const { path } of await segmentsOf(directory)) {
    const { mtimeMs, size } = await stat(path)
    found.push({ path, mtimeMs, size })
  }
  let bytes = found.reduce((sum, { size }) => sum + size, 0)
  const oldest = wallMs() - maxAgeMs
  for (const { path, mtimeMs, size } of found.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if ((mtimeMs >= oldest && bytes <= maxBytes) || kept.has(path)) continue
    await rm(path, { force: true })
    bytes -= size
    // The folder of a run goes with its last segment.
    await rmdir(dirname(path)).catch(() => undefined)
  }
}
