/** What must never be, read from the source itself: who imports whom, who allocates, who starts threads. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../../../src/', import.meta.url))

interface Source {
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

const sources: readonly Source[] = (readdirSync(root, { recursive: true }) as string[])
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

const folderOf = (file: string): string => (file.includes('/') ? file.slice(0, file.indexOf('/')) : file)
const inFolder = (folder: string): readonly Source[] => sources.filter((source) => source.folder === folder)

/** Fails with every place where files of a folder import what they may not. */
function mayImport(folder: string, allowed: readonly string[]): void {
  const files = inFolder(folder)
  assert.ok(files.length > 0, `src/${folder} is there`)
  const broken = files.flatMap(({ file, ours }) =>
    ours.filter((other) => ![folder, ...allowed].includes(folderOf(other))).map((other) => `${file} imports ${other}`),
  )
  assert.deepEqual(broken, [])
}

/** Fails with every file, but those that `allowed` picks, of which `holds` is true. */
function onlyIn(allowed: (source: Source) => boolean, holds: (source: Source) => boolean): void {
  const broken = sources.filter((source) => holds(source) && !allowed(source)).map(({ file }) => file)
  assert.deepEqual(broken, [])
}

test('lane knows nothing of graphs, stages, threads, or what a record means', () => {
  mayImport('lane', ['errors.ts', 'atomics.ts'])
  onlyIn(
    ({ folder }) => folder !== 'lane',
    ({ others }) => others.length > 0,
  )
})

test('options import nothing', () => {
  mayImport('options', [])
  onlyIn(
    ({ folder }) => folder !== 'options',
    ({ others }) => others.length > 0,
  )
})

test('graph imports nothing of ours but options, and nothing else', () => {
  mayImport('graph', ['options'])
  onlyIn(
    ({ folder }) => folder !== 'graph',
    ({ others }) => others.length > 0,
  )
})

test('analysis is pure: no clocks, no chance, no `node:`, no packages', () => {
  mayImport('analysis', ['graph', 'options', 'errors.ts'])
  const impure = ['performance', 'Date', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'process']
  onlyIn(
    ({ folder }) => folder !== 'analysis',
    ({ others, words }) => others.length > 0 || impure.some((word) => words.has(word)) || words.has('random'),
  )
})

test('plan allocates nothing, starts nothing, and knows only what lies above it and the layouts of memory', () => {
  mayImport('plan', ['graph', 'analysis', 'codec', 'lane', 'telemetry', 'figures.ts', 'options', 'errors.ts'])
  const allocates = /^(SharedArrayBuffer|ArrayBuffer|DataView|Buffer|(Big)?(Int|Uint|Float)\d+(Clamped)?Array)$/
  onlyIn(
    ({ folder }) => folder !== 'plan',
    ({ others, words }) => others.length > 0 || [...words].some((word) => allocates.test(word)),
  )
  const layouts = new Set(['telemetry/counters.ts', 'telemetry/histogram-layout.ts', 'codec/text-bytes.ts'])
  for (const { file, ours } of inFolder('plan'))
    for (const other of ours.filter((name) => ['telemetry', 'codec'].includes(folderOf(name))))
      assert.ok(layouts.has(other), file)
})

test('codec knows values and memory, and no threads', () => {
  mayImport('codec', ['graph', 'lane', 'errors.ts'])
  for (const { file, ours } of inFolder('codec'))
    assert.ok(
      ours.every((other) => folderOf(other) !== 'graph' || other === 'graph/types.ts'),
      file,
    )
})

test('worker does not know supervisor, control, graph or analysis', () => {
  mayImport('worker', [
    'plan',
    'lane',
    'codec',
    'telemetry',
    'figures.ts',
    'errors.ts',
    'running-time.ts',
    'time.ts',
    'atomics.ts',
    'version.ts',
  ])
})

test('telemetry reads memory by the plan, and gives the analysis what it takes', () => {
  mayImport('telemetry', ['plan', 'lane', 'analysis', 'figures.ts', 'errors.ts', 'time.ts', 'atomics.ts'])
  for (const { file, ours } of inFolder('telemetry'))
    assert.ok(
      ours.every((other) => folderOf(other) !== 'analysis' || other === 'analysis/types.ts'),
      file,
    )
})

test('drawing needs a graph and its analysis only', () => {
  mayImport('render', ['graph', 'analysis', 'errors.ts'])
})

test('supervisor does not know what lies on it: control, connectors, commands', () => {
  const above = new Set(['control', 'cli', 'render', 'index.ts'])
  onlyIn(
    ({ folder }) => folder !== 'supervisor',
    ({ ours }) => ours.some((other) => above.has(folderOf(other))),
  )
})

test('nothing but index, cli and the page imports control', () => {
  onlyIn(
    ({ file, folder }) => file === 'index.ts' || folder === 'cli' || folder === 'control' || folder === 'page',
    ({ ours }) => ours.some((other) => folderOf(other) === 'control'),
  )
})

test('the page knows nothing of ours but what the API answers, and nobody knows the page', () => {
  mayImport('page', ['control'])
  onlyIn(
    ({ folder }) => folder !== 'page',
    ({ others }) => others.length > 0,
  )
  for (const { file, ours } of inFolder('page'))
    assert.ok(
      ours.every((other) => folderOf(other) === 'page' || other === 'control/index.ts'),
      file,
    )
  onlyIn(
    ({ folder }) => folder === 'page',
    ({ ours }) => ours.some((other) => folderOf(other) === 'page'),
  )
})

test('the import is a user of the library: nothing but commands knows it', () => {
  mayImport('import', ['graph', 'supervisor', 'telemetry', 'analysis', 'errors.ts', 'time.ts'])
  onlyIn(
    ({ folder }) => folder === 'cli' || folder === 'import',
    ({ ours }) => ours.some((other) => folderOf(other) === 'import'),
  )
})

test('nothing imports the commands or the index', () => {
  onlyIn(
    ({ folder }) => folder === 'cli',
    ({ ours }) => ours.some((other) => folderOf(other) === 'cli'),
  )
  onlyIn(
    () => false,
    ({ ours }) => ours.includes('index.ts'),
  )
})

test('atomics.ts is the only file that names Atomics', () => {
  onlyIn(
    ({ file }) => file === 'atomics.ts',
    ({ words }) => words.has('Atomics'),
  )
})

test('only supervisor starts threads and allocates shared memory', () => {
  onlyIn(
    ({ folder }) => folder === 'supervisor',
    ({ made }) => ['SharedArrayBuffer', 'Worker', 'MessageChannel'].some((name) => made.has(name)),
  )
  onlyIn(
    ({ folder }) => folder === 'supervisor',
    ({ others }) => others.includes('node:cluster'),
  )
})

test('each package has one place', () => {
  const places: Readonly<Record<string, readonly string[]>> = {
    comlink: ['supervisor', 'worker'],
    '@msgpack/msgpack': ['codec'],
    'hdr-histogram-js': ['telemetry', 'control'],
    '@viz-js/viz': ['render'],
    fastify: ['control'],
  }
  for (const [name, folders] of Object.entries(places))
    onlyIn(
      ({ folder }) => folders.includes(folder),
      ({ others }) => others.includes(name),
    )
})

test('index re-exports, and holds no logic', () => {
  const { file } = sources.find((source) => source.file === 'index.ts')!
  const tree = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)
  assert.ok(tree.statements.every(ts.isExportDeclaration))
})

test('no cycles, types included', () => {
  const imports = new Map(sources.map(({ file, ours }) => [file, ours]))
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `a cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`)
    if (done.has(file)) return
    for (const other of imports.get(file) ?? []) visit(other, [...path, file])
    done.add(file)
  }
  for (const { file } of sources) visit(file, [])
})

test('what is imported is there, and nothing is called utils', () => {
  const known = new Set(sources.map(({ file }) => file))
  for (const { file, ours } of sources)
    for (const other of ours)
      assert.ok(known.has(other), `${file} imports ${other}, which is not below ${relative('.', root)}`)
  onlyIn(
    () => false,
    ({ file }) => /(^|\/)(utils?|helpers?|common|misc|shared)(\/|\.ts$)/.test(file),
  )
})

test('no module keeps what it collects for itself: every cache has an owner that ends', () => {
  const collecting = /^(?:export )?(?:const|let) (?!.*: Readonly(?:Map|Set)<).*= new (?:Map|Set)(?:<.*>)?\(\)$/m
  // A page ends with its window; and of each module that makes graphs, one number is kept.
  const collectors = sources.filter(
    ({ file }) =>
      !file.startsWith('page/') &&
      file !== 'graph/serial.ts' &&
      collecting.test(readFileSync(join(root, file), 'utf8')),
  )
  assert.deepEqual(
    collectors.map(({ file }) => file),
    [],
  )
})
