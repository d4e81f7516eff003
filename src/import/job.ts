/** What is to be imported: every file of a directory with its kind. Plain data: the `params` of the graph. */
import type { BigIntStats } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DECLARED_FILE, type Declared, type FlowLimits } from './declared.ts'
import { matcherOf, patternOf } from './kinds.ts'
import type { DeclaredKind } from './declared.ts'
import type { Encoding } from './dialect.ts'
import { fairOrder, tenantOf } from './order.ts'
import { seenOf } from './seen.ts'

/** A file of the directory. */
export interface FoundFile {
  /** Within the directory, with `/`. */
  readonly path: string
  readonly kind: string
  readonly bytes: number
  /** Whose it is: tenants have the same share of an import. */
  readonly tenant: string
  readonly placeholders: Readonly<Record<string, string>>
  /** All that an import of it depends on, beside the file itself. */
  readonly how: string
  /** What tells of it that nothing has changed; null where that cannot be told. */
  readonly seen: string | null
}

/** A file that is to be imported, as the books know it. */
export interface JobFile extends FoundFile {
  readonly id: number
  readonly kindId: number
  /** What an earlier look at the whole file has found. */
  readonly encoding?: Encoding
  readonly titles?: readonly string[]
  /** Its cells are staged as texts. */
  readonly stagesText?: true
}

export interface JobData {
  readonly directory: string
  /** The name of the source, where it was given one; else the directory's name, or one like it. */
  readonly source: { readonly name: string; readonly isGiven: boolean }
  /** Of the tables. */
  readonly schema: string
  /** In the books. */
  readonly run: number
  readonly maxDead: number
  /** Longest wait for a table that somebody else has locked. */
  readonly lockTimeoutMs: number
  readonly statementTimeoutMs?: number
  /** Rows that are read in a second, at most. */
  readonly rowsPerSecond?: number
  /** Of each tenant. */
  readonly tenantLimits?: FlowLimits
  /** A server that takes longer for a question that asks nothing is slow. */
  readonly latencyMs: number
  /** To the server, at most. */
  readonly connections: number
  readonly kinds: Kinds
  readonly files: readonly JobFile[]
  /** Files that need not be read: they are as they were. */
  readonly unchanged: number
  /** The address of a server, which may hold a password. */
  readonly url?: string
  /** Where the embedded database lies; absent with a server. */
  readonly embedded?: string
}

type Kinds = Readonly<Record<string, Omit<DeclaredKind, 'pattern'>>>

const TABLES = /\.(?:csv|tsv|ndjson|jsonl)(?:\.gz)?$/i
const MAYBE_TABLES = /\.txt(?:\.gz)?$/i

/** The files of a directory in the order in which they are read, with their kinds. @param onFound told how many there are so far @throws what `readdir` throws */
export async function survey(
  directory: string,
  declared: Declared,
  maxDead: number,
  onFound: (files: number) => void = () => undefined,
): Promise<{ readonly files: readonly FoundFile[]; readonly kinds: Kinds }> {
  const match = matcherOf(declared.kinds ?? [])
  const patterns = (declared.kinds ?? []).map(({ pattern }) => patternOf(pattern))
  const ignored = (declared.ignore ?? []).map(patternOf)
  const isFound = (path: string): boolean => {
    if (path === DECLARED_FILE || ignored.some((fits) => fits(path) !== undefined)) return false
    return TABLES.test(path) || (MAYBE_TABLES.test(path) && patterns.some((fits) => fits(path) !== undefined))
  }
  const kinds = new Map<string, Omit<DeclaredKind, 'pattern'>>()
  const files: FoundFile[] = []
  for (const { path, facts } of await filesBelow(directory, isFound, onFound)) {
    const { kind, placeholders } = match(path)
    kinds.set(kind.name, kind.declared)
    // Limits change when rows come, and not which.
    const how = JSON.stringify([{ ...kind, declared: { ...kind.declared, limits: undefined } }, placeholders, maxDead])
    const bytes = Number(facts?.size ?? 0)
    files.push({
      path,
      kind: kind.name,
      bytes,
      placeholders,
      tenant: tenantOf(path, placeholders),
      how,
      seen: facts === undefined ? null : seenOf(facts, how),
    })
  }
  return { files: fairOrder(files), kinds: Object.fromEntries(kinds) }
}

interface Found {
  readonly path: string
  readonly facts: BigIntStats | undefined
}

/** Links are followed; a folder that was seen is not walked again. Hidden ones are left alone. */
async function filesBelow(
  directory: string,
  isFound: (path: string) => boolean,
  onFound: (files: number) => void,
): Promise<Found[]> {
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
          const facts = await stat(join(directory, path), { bigint: true }).catch(() => undefined)
          if (facts?.isDirectory() === true) folders.push(path)
          else if (isFound(path)) onFound(found.push({ path, facts }))
        }
      }),
    )
    for (const each of folders.sort()) await walk(each)
  }
  await walk('')
  return found
}
