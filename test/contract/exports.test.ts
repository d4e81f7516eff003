/** Exports that nobody imports, read from the source itself. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { KNOWN_EXPORTS } from './known-exports.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
/** What packages users may import, and the files that are started: nobody of ours has to import what they export. */
const DOORS =
  /^src\/(index|graph\/index|trace\/index|control\/index|import\/index|flow\/index|flow\/client|flow-server\/index|test-kit\/index|connectors\/\w+\/index|page\/index|worker\/(main|entry)|cli\/main)\.ts$/

const files = ['src', 'test', 'scripts', 'examples', 'native-bench'].flatMap((folder) =>
  (readdirSync(join(root, folder), { recursive: true }) as string[])
    .filter((file) => /\.tsx?$/.test(file) && !file.includes('node_modules'))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`),
)

/** `file name` of each export of ours that is imported by name; `file *` where all of a file's are. */
const imported = new Set<string>()
const exported: { readonly file: string; readonly name: string }[] = []

for (const file of files) {
  const tree = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)
  if (file.startsWith('src/') && !DOORS.test(file))
    for (const statement of tree.statements) for (const name of exportsOf(statement)) exported.push({ file, name })
  ts.forEachChild(tree, function visit(node): void {
    for (const [specifier, name] of importsOf(node)) {
      const from = resolved(file, specifier)
      if (from !== undefined) imported.add(`${from} ${name}`)
    }
    ts.forEachChild(node, visit)
  })
}

/** The names that a statement declares and exports. */
function exportsOf(statement: ts.Statement): string[] {
  if (!ts.canHaveModifiers(statement)) return []
  const modifiers = ts.getModifiers(statement) ?? []
  if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return []
  if (modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)) return ['default']
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map(({ name }) => name.getText())
  const { name } = statement as ts.DeclarationStatement
  return name === undefined ? [] : [name.text]
}

/** Pairs of a module and a name that is imported from there, or `*`. */
function importsOf(node: ts.Node): (readonly [specifier: string, name: string])[] {
  if (ts.isImportDeclaration(node)) {
    const specifier = (node.moduleSpecifier as ts.StringLiteral).text
    const clause = node.importClause
    const bindings = clause?.namedBindings
    const names = bindings === undefined ? [] : ts.isNamespaceImport(bindings) ? ['*'] : bindings.elements.map(nameOf)
    return [...names, ...(clause?.name === undefined ? [] : ['default'])].map((name) => [specifier, name] as const)
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    const specifier = (node.moduleSpecifier as ts.StringLiteral).text
    const clause = node.exportClause
    const names = clause !== undefined && ts.isNamedExports(clause) ? clause.elements.map(nameOf) : ['*']
    return names.map((name) => [specifier, name] as const)
  }
  if (ts.isImportTypeNode(node))
    return [[((node.argument as ts.LiteralTypeNode).literal as ts.StringLiteral).text, '*']]
  // What is named elsewhere is loaded as a whole: by `import(…)`, or as the URL of a file that a thread or a tool loads.
  const isUrl = ts.isNewExpression(node) && node.expression.getText() === 'URL'
  const isDynamic = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
  const first = isUrl || isDynamic ? node.arguments?.[0] : undefined
  return first !== undefined && ts.isStringLiteral(first) ? [[first.text, '*']] : []
}

function nameOf({ name, propertyName }: ts.ImportSpecifier | ts.ExportSpecifier): string {
  return (propertyName ?? name).text
}

function resolved(file: string, specifier: string): string | undefined {
  if (specifier === '#atomics') return 'src/atomics.ts'
  const own = /^#src\/(.*)\.js$/.exec(specifier)?.[1]
  if (own !== undefined) return `src/${own}.ts`
  if (!specifier.startsWith('.')) return undefined
  return normalize(join(dirname(file), specifier))
    .replaceAll('\\', '/')
    .replace(/\.[jm]?js$/, '.ts')
}

const known = Object.entries(KNOWN_EXPORTS).flatMap(([file, names]) => names.map((name) => `${file}: ${name}`))
const unused = exported
  .filter(({ file, name }) => !imported.has(`${file} ${name}`) && !imported.has(`${file} *`))
  .map(({ file, name }) => `${file}: ${name}`)

test('every export is imported somewhere, but for those that are known', (t) => {
  assert.deepEqual(
    unused.filter((each) => !known.includes(each)),
    [],
    'export only what another file imports',
  )
  const gone = known.filter((each) => !unused.includes(each))
  if (gone.length > 0) t.diagnostic(`no longer among them, so to be taken off the list: ${gone.join(', ')}`)
})
