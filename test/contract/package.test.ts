/** What users of the package see: its types, read from the declarations that are published. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { LIBRARY_VERSION } from '#src/version.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  version: string
  exports: Record<string, string | { types: string }>
}
/** The declarations of every entry point. */
const entries = Object.values(manifest.exports).flatMap((entry) =>
  typeof entry === 'object' ? [root + entry.types.slice(2)] : [],
)
const program = ts.createProgram(entries, {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.es2024.sharedmemory.d.ts'],
  types: ['node'],
  typeRoots: [`${root}node_modules/@types`],
  skipLibCheck: false,
})
const checker = program.getTypeChecker()
const ours = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(`${root}dist/`))
const index = program.getSourceFile(`${root}dist/index.d.ts`)!
const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(index)!).map(resolved)

function resolved(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

test('the version that threads compare is that of the package', () => {
  assert.equal(LIBRARY_VERSION, manifest.version)
})

/** The control API and that of flows are Fastify plugins with schemas of typebox: their own entry points may name both. */
const PLUGIN = ['fastify', 'typebox']

test('the types of no package show in the public ones, but for Node itself', () => {
  const allowed = new Set(['node:events', 'node:http', 'node:stream', 'node:worker_threads', ...PLUGIN])
  for (const { fileName, text } of ours) {
    const names = [...text.matchAll(/(?:from|import\()\s*['"]([^.'"][^'"]*)['"]/g)].map(([, name]) => name!)
    const found = names.filter(
      (name) => !allowed.has(name) || (PLUGIN.includes(name) && !/\/(?:control|flow-server)\//.test(fileName)),
    )
    assert.deepEqual(found, [], fileName)
  }
})

test('the published types hold by themselves', () => {
  const options = ['--noEmit', '--ignoreConfig', '--pretty', 'false', '--skipLibCheck', 'false', '--types', 'node']
  const modules = ['--module', 'nodenext', '--target', 'es2023']
  const libraries = ['--lib', 'es2023,esnext.disposable,es2024.sharedmemory']
  const { stdout, status } = spawnSync(
    process.execPath,
    [`${root}node_modules/@typescript/native/bin/tsc`, ...options, ...modules, ...libraries, ...entries],
    { cwd: root, encoding: 'utf8' },
  )
  assert.ok(status !== null && status <= 2, stdout)
  // Declarations of other packages have faults of their own.
  const ofOthers = /^(?:\.\.\/)*node_modules\/|^\s/
  assert.deepEqual(
    stdout.split('\n').filter((line) => line !== '' && !ofOthers.test(line)),
    [],
  )
})

test('every type that a public one names is public too', () => {
  const known = new Set(exported)
  const isMissing = (symbol: ts.Symbol): boolean =>
    !known.has(symbol) &&
    (symbol.declarations ?? []).some(
      (each) =>
        each.getSourceFile().fileName.startsWith(`${root}dist/`) &&
        // What its own module does not export either is a part of that module's declarations.
        (ts.getCombinedModifierFlags(each) & ts.ModifierFlags.Export) !== 0,
    )
  const missing = new Set<string>()
  for (const symbol of exported) {
    for (const declaration of symbol.declarations ?? []) {
      const visit = (node: ts.Node): void => {
        if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
          const name = ts.isTypeReferenceNode(node) ? node.typeName : node.expression
          const named = checker.getSymbolAtLocation(name)
          if (named !== undefined && isMissing(resolved(named)))
            missing.add(`${named.name}, which ${symbol.name} names`)
        }
        ts.forEachChild(node, visit)
      }
      visit(declaration)
    }
  }
  assert.deepEqual([...missing].toSorted(), [])
})

test('everything that is public says what it is', () => {
  const silent = exported
    .filter((symbol) => symbol.declarations?.every((each) => !ts.isSourceFile(each)) ?? false)
    .filter((symbol) => symbol.getDocumentationComment(checker).length === 0)
  assert.deepEqual(
    silent.map(({ name }) => name),
    [],
  )
})
