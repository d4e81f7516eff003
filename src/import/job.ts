/** What is to be imported: every file of a directory with its kind. Plain data: the `params` of the graph. */
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DECLARED_FILE, type Declared } from './declared.ts'
import { matcherOf, patternOf } from './kinds.ts'
import type { DeclaredKind } from './declared.ts'
import type { Encoding } from './dialect.ts'

export interface JobFile {
  /** Within the directory, with `/`. */
  readonly path: string
  readonly kind: string
  readonly bytes: number
  readonly placeholders: Readonly<Record<string, string>>
  /** What an earlier look at the whole file has found. */
  readonly encoding?: Encoding
}

export interface JobData {
  readonly run: string
  readonly directory: string
  /** The name of the source, where it was given one; else the directory's name, or one like it. */
  readonly source: { readonly name: string; readonly isGiven: boolean }
  readonly schema?: string
  readonly maxDead: number
  /** Longest wait for a table that somebody else has locked. */
  readonly lockTimeoutMs: number
  readonly kinds: Readonly<Record<string, Omit<DeclaredKind, 'pattern'>>>
  readonly files: readonly JobFile[]
  /** The address of a server, which may hold a password. */
  readonly url?: string
  /** Where the embedded database lies; absent with a server. */
  readonly embedded?: string
}

const TABLES = /\.(?:csv|tsv)(?:\.gz)?$/i
const MAYBE_TABLES = /\.(?:csv|tsv|txt)(?:\.gz)?$/i

/** The files of a directory, small ones first, with their kinds. @throws what `readdir` throws */
export async function survey(directory: string, declared: Declared): Promise<Pick<JobData, 'files' | 'kinds'>> {
  const match = matcherOf(declared.kinds ?? [])
  const patterns = (declared.kinds ?? []).map(({ pattern }) => patternOf(pattern))
  const ignored = (declared.ignore ?? []).map(patternOf)
  const isFound = (path: string): boolean => {
    if (path === DECLARED_FILE || ignored.some((fits) => fits(path) !== undefined)) return false
    return TABLES.test(path) || (MAYBE_TABLES.test(path) && patterns.some((fits) => fits(path) !== undefined))
  }
  const kinds = new Map<string, Omit<DeclaredKind, 'pattern'>>()
  const files: JobFile[] = []
  for (const { path, bytes } of await filesBelow(directory, isFound)) {
    const { kind, placeholders } = match(path)
    kinds.set(kind.name, kind.declared)
    files.push({ path, kind: kind.name, bytes, placeholders })
  }
  files.sort((a, b) => a.bytes - b.bytes || (a.path < b.path ? -1 : 1))
  return { files, kinds: Object.fromEntries(kinds) }
}

interface Found {
  readonly path: string
  readonly bytes: number
}

/** Links are followed; a folder that was seen is not walked again. Hidden ones are left alone. */
async function filesBelow(directory: string, isFound: (path: string) => boolean): Promise<Found[]> {
  const seen = new Set<string>()
  const found: Found[] = []
  const walk = async (below: string): Promise<void> => {
    const folder = join(directory, below)
    const real = await realpath(folder)
    if (seen.has(real)) return
    seen.add(real)
    const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'))
    const folders: string[] = []
    await Promise.all(
      entries.map(async (entry) => {
        const path = below === '' ? entry.name : `${below}/${entry.name}`
        if (entry.isDirectory()) folders.push(path)
        else if (entry.isSymbolicLink() || isFound(path)) {
          const facts = await stat(join(directory, path)).catch(() => undefined)
          if (facts?.isDirectory() === true) folders.push(path)
          else if (isFound(path)) found.push({ path, bytes: facts?.size ?? 0 })
        }
      }),
    )
    for (const each of folders.sort()) await walk(each)
  }
  await walk('')
  return found
}
