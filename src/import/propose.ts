/** The declaration that says what is found in a directory, and what it is found by. */
import { join } from 'node:path'
import { readingOf } from './column-types.ts'
import { type Declared, type DeclaredKind, readDeclared } from './declared.ts'
import { type Evidence, addEvidence } from './evidence.ts'
import { type FoundFile, survey } from './job.ts'
import { KeyCandidates } from './key-candidates.ts'
import { kindNameOf, patternOf } from './kinds.ts'
import { takeName } from './names.ts'
import { parsePiece } from './parse.ts'
import { ImportProblem } from './problem.ts'
import { PIECE_BYTES, piecesOf } from './file-pieces.ts'
import type { Head, ParsedPiece } from './records.ts'

export interface Proposal {
  /** For `millrace-import.json`. */
  readonly declared: Declared
  /** A line for each kind and each of its columns. */
  readonly evidence: readonly string[]
}

/** A file as it was read, to its end. */
interface LookedAt {
  readonly path: string
  readonly head: Head
  readonly evidence: Evidence
  readonly rows: number
  readonly deadLetters: number
  readonly keys: KeyCandidates
}

/** Files that would be one table. */
interface Group {
  readonly pattern: string
  readonly files: readonly LookedAt[]
}

/** Reads all files of a directory, and no database. @throws ImportProblem where there is nothing to read */
export async function proposeDeclaration(directory: string): Promise<Proposal> {
  const { ignore } = readDeclared(directory)
  const ignored = ignore === undefined ? {} : { ignore }
  const { files } = await survey(directory, ignored, 1).catch((error: unknown) => {
    throw new ImportProblem(`The directory ${directory} cannot be read: ${(error as Error).message}`, { cause: error })
  })
  if (files.length === 0) throw new ImportProblem(`The directory ${directory} holds no file to import.`)
  const looked: LookedAt[] = []
  const unread: string[] = []
  for (const file of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const found = await lookAt(directory, file)
    if (typeof found === 'string') unread.push(`${file.path}: ${found}`)
    else looked.push(found)
  }
  const proposed = named(groupsOf(looked)).map(proposeKind)
  return {
    declared: { ...ignored, kinds: proposed.map(({ kind }) => kind) },
    evidence: [...proposed.flatMap(({ lines }) => lines), ...unread],
  }
}

/** Reads a file as an import would. @returns why there is nothing to say of it */
async function lookAt(directory: string, file: FoundFile, encoding?: 'windows-1252'): Promise<LookedAt | string> {
  const own = { ...file, id: 0, kindId: 0, ...(encoding === undefined ? {} : { encoding }) }
  const reading = { index: 0, file: own, kind: {}, pieceBytes: PIECE_BYTES }
  const signal = new AbortController().signal
  let sum: { evidence: Evidence; rows: number; deadLetters: number; notUtf8: number; hasUtf8: boolean } | undefined
  let keys: KeyCandidates | undefined
  let last: ParsedPiece | undefined
  for await (const { value } of piecesOf(join(directory, file.path), reading, undefined, signal)) {
    const parsed = parsePiece(value)
    last = parsed
    if (parsed.end?.nothing !== undefined) return parsed.end.nothing.reason
    keys ??= new KeyCandidates(parsed.head.titles.length)
    keys.see(parsed.copy)
    const { evidence, rows, letters, notUtf8, hasUtf8 } = parsed
    if (sum === undefined) sum = { evidence, rows, deadLetters: letters.length, notUtf8, hasUtf8 }
    else {
      addEvidence(sum.evidence, evidence)
      sum.rows += rows
      sum.deadLetters += letters.length
      sum.notUtf8 += notUtf8
      sum.hasUtf8 ||= hasUtf8
    }
  }
  const { head } = last!
  const isWindows = sum!.notUtf8 > 0 && !sum!.hasUtf8 && head.mayBeWindows && encoding === undefined
  return isWindows ? lookAt(directory, file, 'windows-1252') : { path: file.path, head, keys: keys!, ...sum! }
}

/**
 * Files of the same titles whose names differ in figures alone, or that lie in folders side by side. The first pattern that fits a
 * file counts: those of single files come first.
 */
function groupsOf(looked: readonly LookedAt[]): Group[] {
  const byName = groupBy(looked, (file) => withStars(file.path))
  const byFolder = groupBy(looked, (file) => withStars(file.path).replace(/^[^/]+\//, '{folder}/'))
  const groups: Group[] = []
  const left = new Set(looked)
  for (const [pattern, files] of [...byFolder, ...byName]) {
    if (files.length < 2 || files.some((file) => !left.has(file)) || groups.some((group) => group.pattern === pattern))
      continue
    groups.push({ pattern, files })
    for (const file of files) left.delete(file)
  }
  // A pattern that takes files of another group is none.
  const isGood = ({ files }: Group): boolean =>
    files.every(({ path }) => files.includes(groups.find(({ pattern }) => patternOf(pattern)(path))!.files[0]!))
  const good = groups.filter(isGood)
  const grouped = new Set(good.flatMap(({ files }) => files))
  const single = looked.filter((file) => !grouped.has(file)).map((file) => ({ pattern: file.path, files: [file] }))
  return [...single, ...good]
}

/** By a pattern that the files share; those of other titles are not of the group. */
function groupBy(files: readonly LookedAt[], patternOf: (file: LookedAt) => string): [string, LookedAt[]][] {
  const groups = new Map<string, LookedAt[]>()
  for (const file of files) {
    const key = JSON.stringify([patternOf(file), file.head.titles, file.head.dialect])
    groups.set(key, [...(groups.get(key) ?? []), file])
  }
  return [...groups.values()].map((group) => [patternOf(group[0]!), group])
}

/** `a/orders_2024-01.csv` becomes `a/orders_*.csv`. */
function withStars(path: string): string {
  const slash = path.lastIndexOf('/') + 1
  return path.slice(0, slash) + path.slice(slash).replace(/\d+(?:[-_.T]\d+)*/g, '*')
}

/** No two kinds have one name. */
function named(groups: readonly Group[]): (Group & { readonly name?: string })[] {
  const taken = new Set<string>()
  return groups.map((group) => {
    const usual = kindNameOf(group.pattern)
    const name = takeName(usual, taken)
    return name === usual ? group : { ...group, name }
  })
}

function proposeKind({ pattern, name, files }: Group & { readonly name?: string }): {
  kind: DeclaredKind
  lines: string[]
} {
  const { head } = files[0]!
  const { titles, dialect, remarks } = head
  const evidence = files[0]!.evidence
  for (const file of files.slice(1)) addEvidence(evidence, file.evidence)
  const keys = KeyCandidates.of(files.map(({ keys }) => keys))
  const columns: [string, NonNullable<DeclaredKind['columns']>[string]][] = []
  const lines: string[] = []
  for (const [i, title] of titles.entries()) {
    const { type = 'text', format } = readingOf(evidence.types[i]!, evidence.words[i]!)
    if (type !== 'text' && titles.indexOf(title) === titles.lastIndexOf(title))
      columns.push([title, { type, ...format }])
    const breaker = evidence.breakers[i] ?? null
    lines.push(
      [
        `  ${title}: ${type}`,
        ...(type === 'text' && breaker !== null ? [`for ${JSON.stringify(breaker.text)} on line ${breaker.line}`] : []),
        ...(format.dayOrder === undefined ? [] : [format.dayOrder === 'mdy' ? 'month first' : 'day first']),
        ...(format.nulls === undefined
          ? []
          : [`missing: ${format.nulls.map((word) => JSON.stringify(word)).join(', ')}`]),
        ...(keys.has(i) ? ['no two rows have the same: it could be the key'] : []),
      ].join('; '),
    )
  }
  const sum = (of: (file: LookedAt) => number): number => files.reduce((total, file) => total + of(file), 0)
  const dead = sum(({ deadLetters }) => deadLetters)
  const delimiter = String.fromCharCode(dialect.delimiter)
  const utf16 = remarks.find((remark) => remark.startsWith('encoding: utf-16'))?.slice('encoding: '.length)
  const encoding =
    dialect.encoding === 'windows-1252' ? dialect.encoding : (utf16 as 'utf-16le' | 'utf-16be' | undefined)
  const kind: DeclaredKind = {
    pattern,
    ...(name === undefined ? {} : { name }),
    ...(delimiter === ',' ? {} : { delimiter }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(dialect.escape === 'double' ? {} : { escape: dialect.escape }),
    ...(remarks.includes('no header') ? { header: false } : {}),
    ...(columns.length === 0 ? {} : { columns: Object.fromEntries(columns) }),
  }
  const rows = sum(({ rows }) => rows)
  const first = `${pattern}: ${files.length} ${files.length === 1 ? 'file' : 'files'}, ${rows.toLocaleString('en')} rows${dead === 0 ? '' : `, ${dead} of them dead letters`}${remarks.length === 0 ? '' : ` (${remarks.join('; ')})`}`
  return { kind, lines: [first, ...lines] }
}
