/** In which order files are read. */

/** A file of a few bytes costs what this many do. */
const LEAST_BYTES = 16 * 1024

interface Sized {
  readonly path: string
  readonly bytes: number
  readonly tenant: string
}

/**
 * Small files first, and each tenant has the same share: as if every tenant's files, small ones first, were read beside those of
 * the others, byte by byte. Whoever has one small file waits for nobody's thousands.
 */
export function fairOrder<T extends Sized>(files: readonly T[]): T[] {
  const ends = new Map<string, number>()
  return files
    .toSorted((a, b) => a.bytes - b.bytes || (a.path < b.path ? -1 : 1))
    .map((file) => {
      const end = (ends.get(file.tenant) ?? 0) + Math.max(LEAST_BYTES, file.bytes)
      ends.set(file.tenant, end)
      return { file, end }
    })
    .sort((a, b) => a.end - b.end)
    .map(({ file }) => file)
}

/** Whose a file is: what stands for the first placeholder of its kind's pattern, else its first folder. */
export function tenantOf(path: string, placeholders: Readonly<Record<string, string>>): string {
  const [first] = Object.values(placeholders)
  return first ?? (path.includes('/') ? path.slice(0, path.indexOf('/')) : '')
}
