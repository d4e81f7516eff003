/** The source of the library as data: who imports whom, for the test of the architecture and for its page. */
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** `src`, also from `build`. */
export const root: string = fileURLToPath(new URL('../../src/', import.meta.url))

export interface Source {
  /** Path below `src`, with `/`. */
  readonly file: string
  readonly folder: string
  /** Files below `src` (or `#atomics`), types included. */
  readonly ours: readonly string[]
  /** `node:` modules and packages. */
  readonly others: readonly string[]
  /** Every identifier in it, comments left out. */
  readonly words: ReadonlySet<string>
  /** Names behind `new`. */
  readonly made: ReadonlySet<string>
}

/** All files below `src`, and what each of them imports and names. */
export const sources: readonly Source[] = (readdirSync(root, { recursive: true }) as string[])
  .filter((file) => file.endsWith('.ts'))
  .map((file) => read(file.replaceAll('\\', '/')))

function read(file: string): Source {
  const tree = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)
  const [imports, words, made] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined)
      imports.add((node.moduleSpecifier as ts.StringLiteral).text)
    if (ts.isImportTypeNode(node)) imports.add(((node.argument as ts.LiteralTypeNode).literal as ts.StringLiteral).text)
    const isDynamic = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
    if (isDynamic && ts.isStringLiteral(node.arguments[0]!)) imports.add(node.arguments[0].text)
    if (ts.isIdentifier(node)) words.add(node.text)
    if (ts.isNewExpression(node) && ts.isIdentifier(node.expression)) made.add(node.expression.text)
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return {
    file,
    folder: file.includes('/') ? file.slice(0, file.indexOf('/')) : '.',
    ours: [...imports]
      .filter(isOurs)
      .map((name) =>
        name === '#atomics'
          ? 'atomics.ts'
          : name.startsWith('#src/')
            ? name.slice(5).replace(/js$/, 'ts')
            : normalize(join(dirname(file), name)).replaceAll('\\', '/'),
      ),
    others: [...imports].filter((name) => !isOurs(name)),
    words,
    made,
  }
}

function isOurs(name: string): boolean {
  return name.startsWith('.') || name.startsWith('#')
}

/** The folder of a file below `src`; a file that lies beside the folders stands for itself. */
export const folderOf = (file: string): string => (file.includes('/') ? file.slice(0, file.indexOf('/')) : file)

/** The room of a file within a folder: the folder below it, or the file itself; undefined outside. */
export const roomIn =
  (folder: string) =>
  (file: string): string | undefined =>
    file.startsWith(`${folder}/`) ? folderOf(file.slice(folder.length + 1)) : undefined

/** For each folder, those that its files import, types included. @param of the folder of a file; undefined where it does not count */
export function imports(of: (file: string) => string | undefined = folderOf): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  for (const { file, ours } of sources) {
    const folder = of(file)
    if (folder === undefined) continue
    const known = found.get(folder) ?? new Set()
    found.set(folder, known)
    for (const other of ours.map(of)) if (other !== undefined && other !== folder) known.add(other)
  }
  return found
}

/**
 * The folders from the bottom up: each imports only what stands before it.
 * @throws where a circle of folders leaves no such order, with those of the circle and above
 */
export function floors(found: ReadonlyMap<string, ReadonlySet<string>> = imports()): readonly (readonly string[])[] {
  const left = new Map(found)
  const made: string[][] = []
  while (left.size > 0) {
    const floor = [...left]
      .filter(([, others]) => [...others].every((other) => !left.has(other)))
      .map(([folder]) => folder)
    if (floor.length === 0) throw new Error(`these folders import each other: ${[...left.keys()].join(', ')}`)
    for (const folder of floor) left.delete(folder)
    made.push(floor.sort())
  }
  return made
}

/** The imports between folders as a table, bottom floor first. */
export function importsTable(): string {
  const found = imports()
  const rows = floors().flatMap((floor, height) =>
    floor.map((folder) => {
      const others = [...found.get(folder)!].sort().map((other) => `\`${other}\``)
      return `| ${height} | \`${folder}\` | ${others.join(', ') || 'nothing of ours'} |`
    }),
  )
  return ['| Floor | Folder | Imports |', '| ---: | --- | --- |', ...rows].join('\n')
}
