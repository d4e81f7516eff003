/** What must never be, read from the source itself: who imports whom, who allocates, who starts threads. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { type Source, floors, folderOf, imports, importsTable, roomIn, root, sources } from '../../scripts/sources.ts'

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
  mayImport('lane', ['memory', 'errors.ts', 'atomics.ts'])
  onlyIn(
    ({ folder }) => folder !== 'lane',
    ({ others }) => others.length > 0,
  )
})

test('no arrow between folders runs back up, and the page draws the arrows that there are', () => {
  assert.ok(floors().length > 5)
  const page = readFileSync(fileURLToPath(new URL('../../../docs/architecture.md', import.meta.url)), 'utf8')
  assert.ok(page.includes(importsTable()), 'docs/architecture.md: run `node build/scripts/print-imports.js`')
})

test('within a worker too: a record passes through rooms none of which imports one that comes after it', () => {
  assert.ok(floors(imports(roomIn('worker'))).length > 4)
})

test('memory is layouts only: it knows the figures that it has room for, and no code that reads or writes', () => {
  mayImport('memory', ['figures.ts'])
  onlyIn(
    ({ folder }) => folder !== 'memory',
    ({ others, made }) => others.length > 0 || made.has('SharedArrayBuffer'),
  )
})

test('options import nothing', () => {
  mayImport('options', [])
  onlyIn(
    ({ folder }) => folder !== 'options',
    ({ others }) => others.length > 0,
  )
})

test('graph imports nothing of ours but options and the names of figures, and nothing else', () => {
  mayImport('graph', ['options', 'figures.ts'])
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
  mayImport('plan', ['graph', 'analysis', 'codec', 'memory', 'figures.ts', 'options', 'errors.ts'])
  const allocates = /^(SharedArrayBuffer|ArrayBuffer|DataView|Buffer|(Big)?(Int|Uint|Float)\d+(Clamped)?Array)$/
  onlyIn(
    ({ folder }) => folder !== 'plan',
    ({ others, words }) => others.length > 0 || [...words].some((word) => allocates.test(word)),
  )
  for (const { file, ours } of inFolder('plan'))
    for (const other of ours.filter((name) => folderOf(name) === 'codec'))
      assert.equal(other, 'codec/text-bytes.ts', file)
})

test('codec knows values and memory, and no threads', () => {
  mayImport('codec', ['graph', 'memory', 'errors.ts'])
  for (const { file, ours } of inFolder('codec'))
    assert.ok(
      ours.every((other) => folderOf(other) !== 'graph' || other === 'graph/types.ts'),
      file,
    )
})

test('worker does not know supervisor, control, graph or analysis', () => {
  mayImport('worker', [
    'plan',
    'memory',
    'lane',
    'codec',
    'telemetry',
    'figures.ts',
    'shown.ts',
    'seen.ts',
    'errors.ts',
    'running-time.ts',
    'time.ts',
    'atomics.ts',
    'version.ts',
  ])
})

test('telemetry reads memory by the plan, and gives the analysis what it takes', () => {
  mayImport('telemetry', ['plan', 'memory', 'lane', 'analysis', 'figures.ts', 'errors.ts', 'time.ts', 'atomics.ts'])
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

test('nothing but index, cli, the server of flows and the page imports control', () => {
  onlyIn(
    ({ file, folder }) => file === 'index.ts' || ['cli', 'control', 'flow-server', 'page'].includes(folder),
    ({ ours }) => ours.some((other) => folderOf(other) === 'control'),
  )
})

test('the page knows nothing of ours but what the API answers, and nobody but the sheet knows the page', () => {
  mayImport('page', ['control', 'flow-server'])
  onlyIn(
    ({ folder }) => folder !== 'page',
    ({ others }) => others.length > 0,
  )
  for (const { file, ours } of inFolder('page'))
    assert.ok(
      ours.every((other) => folderOf(other) === 'page' || ['control/index.ts', 'flow-server/index.ts'].includes(other)),
      file,
    )
  onlyIn(
    ({ folder }) => folder === 'page' || folder === 'sheet',
    ({ ours }) => ours.some((other) => folderOf(other) === 'page'),
  )
})

test('the sheet runs in browsers: it knows pure functions and the layout of the page, and nobody knows the sheet', () => {
  mayImport('sheet', ['graph', 'analysis', 'render', 'page'])
  onlyIn(
    ({ folder }) => folder !== 'sheet',
    ({ others }) => others.length > 0,
  )
  onlyIn(
    ({ folder }) => folder === 'sheet',
    ({ ours }) => ours.some((other) => folderOf(other) === 'sheet'),
  )
})

test('the import is a user of the library: nothing but commands knows it', () => {
  mayImport('import', ['graph', 'supervisor', 'telemetry', 'analysis', 'errors.ts', 'time.ts'])
  onlyIn(
    ({ folder }) => folder === 'cli' || folder === 'import',
    ({ ours }) => ours.some((other) => folderOf(other) === 'import'),
  )
})

/** The connector that a file belongs to. */
function connectorOf(file: string): string {
  return file.split('/')[1]!
}

test('a connector is a user of the library, and knows no other one', () => {
  // What stands in messages between two parts is encoded and named as on lanes.
  mayImport('connectors', ['graph', 'options', 'analysis', 'codec', 'lane', 'errors.ts', 'time.ts'])
  for (const { file, ours } of inFolder('connectors'))
    for (const other of ours.filter((name) => ['codec', 'lane'].includes(folderOf(name))))
      assert.deepEqual([file, ['codec/values.ts', 'lane/ids.ts'].includes(other)], ['connectors/core/hop.ts', true])
  for (const { file, ours } of inFolder('connectors'))
    for (const other of ours.filter((name) => folderOf(name) === 'connectors'))
      assert.ok(['core', connectorOf(file)].includes(connectorOf(other)), `${file} imports ${other}`)
  onlyIn(
    ({ folder }) => folder === 'connectors' || folder === 'cli',
    ({ ours }) => ours.some((other) => folderOf(other) === 'connectors'),
  )
})

test('the test kit is a user of the library: nothing of ours knows it', () => {
  onlyIn(
    ({ folder }) => folder === 'test-kit',
    ({ ours }) => ours.some((other) => folderOf(other) === 'test-kit'),
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
    fastify: ['control', 'flow-server'],
    '@nats-io/transport-node': ['connectors'],
    '@nats-io/jetstream': ['connectors'],
    redis: ['connectors'],
    amqplib: ['connectors'],
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
  // A page ends with its window; of each module that makes graphs, one number is kept; and pipelines are listed until they end.
  const collectors = sources.filter(
    ({ file }) =>
      !/^(page|sheet)\//.test(file) &&
      !['graph/serial.ts', 'supervisor/running.ts'].includes(file) &&
      collecting.test(readFileSync(join(root, file), 'utf8')),
  )
  assert.deepEqual(
    collectors.map(({ file }) => file),
    [],
  )
})
