/**
 * Makes of `dist` what is published: `node build/scripts/bundle.js` writes it to `build/bundle`. Hundreds of small modules cost each
 * worker its start, so they come together in few files (`docs/decisions/23-bundle.md`); declarations, pages and the files that threads
 * are started with stay as they are. Sources and tests use `dist` with a file for each module.
 *
 * `--pack FOLDER` packs it into a folder, as tests do. With `--swap` the bundle takes the place of `dist`, and with `--restore` goes
 * again: `npm pack` and `npm publish` do so around what they pack.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { transform } from 'esbuild'
import { type GetManualChunk, type Plugin, rollup } from 'rollup'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const DIST = join(ROOT, 'dist')
const BUNDLE = join(ROOT, 'build/bundle')
const MODULES = join(ROOT, 'build/modules')
/** Not bundled: they run in browsers, or lie beside what reads them. */
const ASSETS = ['page', 'sheet']
/** What threads, and workers of a graph that came as JSON, load by a URL. */
const THREADS = ['worker/thread/main.js', 'worker/thread/boot.js', 'trace/host.js', 'import/graph.js']
/** Where the bundle that a user makes begins: it compares `import.meta.url` with the stack, and so keeps it. */
const BOOT = join(DIST, 'worker/thread/boot.js')
const MSGPACK = join(ROOT, 'node_modules/@msgpack/msgpack')
/** What is no file of ours by its name, and part of the bundle. */
const INSIDE: Readonly<Record<string, string>> = {
  '#atomics': join(DIST, 'atomics.js'),
  '@msgpack/msgpack': join(MSGPACK, 'dist.esm/index.mjs'),
}
/** What is loaded together lies together: each chunk is all that its modules import, but for what an earlier one has. */
const CHUNKS: Readonly<Record<string, readonly string[]>> = {
  core: ['index.js'],
  worker: ['main', '../stages/source', '../stages/records', '../stages/batches', '../stages/keyed-batches'].map(
    (name) => join('worker/thread', `${name}.js`),
  ),
  run: ['supervisor/launch.js'],
}

/** Bundles `dist` into `build/bundle`. */
async function bundle(): Promise<void> {
  const { exports, bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly default: string }>>
    readonly bin: Readonly<Record<string, string>>
  }
  const doors = [...Object.values(exports), ...Object.values(bin)]
    .map((each) => (typeof each === 'string' ? each : each.default))
    .filter((file) => file.startsWith('./dist/'))
    .map((file) => file.slice('./dist/'.length))
  const entries = [...new Set([...doors, ...THREADS])]
  const build = await rollup({
    input: Object.fromEntries(entries.map((file) => [file.replace(/\.js$/, ''), join(DIST, file)])),
    external: (id) => !isAbsolute(id) && !id.startsWith('.') && !(id in INSIDE),
    treeshake: { moduleSideEffects: (id) => id === BOOT },
    plugins: [modules, urls, comments],
    onwarn: ({ code, message }) => {
      // A helper that the compiler puts before `import(…)` asks for it.
      if (code !== 'THIS_IS_UNDEFINED') throw new Error(message)
    },
  })
  rmSync(BUNDLE, { recursive: true, force: true })
  cpSync(DIST, BUNDLE, { recursive: true, filter: isKept })
  await build.write({
    dir: BUNDLE,
    format: 'es',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    hoistTransitiveImports: false,
    manualChunks: chunkOf,
  })
  await build.close()
  cpSync(join(MSGPACK, 'LICENSE'), join(BUNDLE, 'chunks/LICENSE-msgpack'))
}

/** Declarations, assets, and the files in CommonJS. */
function isKept(file: string): boolean {
  const path = relative(DIST, file)
  return ASSETS.some((folder) => path.startsWith(folder)) || !/\.js(?:\.map)?$/.test(path)
}

/** The chunk of a module; undefined: rollup decides. */
const chunkOf: GetManualChunk = (id, { getModuleInfo }) => {
  for (const [chunk, files] of Object.entries(CHUNKS)) {
    const seen = new Set<string>()
    const next = files.map((file) => join(DIST, file))
    for (let file = next.pop(); file !== undefined; file = next.pop()) {
      if (file === id) return chunk
      if (seen.has(file)) continue
      seen.add(file)
      next.push(...(getModuleInfo(file)?.importedIds ?? []))
    }
  }
  return undefined
}

/** Finds what is inside, and the sources behind the modules, so that stacks point at them. */
const modules: Plugin = {
  name: 'modules',
  resolveId: (id) => INSIDE[id] ?? null,
  load: (id) => {
    const code = readFileSync(id, 'utf8')
    return { code, map: existsSync(`${id}.map`) ? readFileSync(`${id}.map`, 'utf8') : null }
  },
}

const placed = new Set<string>()
/** A file that is named by its place beside a module has another place beside the chunk. */
const urls: Plugin = {
  name: 'urls',
  transform: (code, id) => {
    if (id === BOOT || !id.startsWith(DIST)) return null
    const named = /new URL\((['"`])(\.[^'"`$]*)([^'"`]*)\1, import\.meta\.url\)/g
    if (!named.test(code)) return null
    placed.add(id)
    const replaced = code.replaceAll(named, (_, quote: string, path: string, rest: string) => {
      const place = relative(DIST, join(dirname(id), path)) + (path.endsWith('/') ? '/' : '')
      return `new URL(${quote}millrace:${place}${rest}${quote}, import.meta.url)`
    })
    return { code: replaced, map: null }
  },
  renderChunk: (code, { fileName }) => {
    const up = '../'.repeat(fileName.split('/').length - 1) || './'
    return { code: code.replaceAll(/(?<=new URL\(['"`])millrace:/g, up), map: null }
  },
  resolveImportMeta: (property, { moduleId, chunkId }) => {
    if (property !== 'url' || moduleId === BOOT || placed.has(moduleId)) return null
    const [module, up] = [relative(DIST, moduleId), '../'.repeat(chunkId.split('/').length - 1) || './']
    return module === chunkId ? null : `new URL('${up}${module}', import.meta.url).href`
  },
}

/** Prints the code without comments: they are half of it, and each worker would read them. */
const comments: Plugin = {
  name: 'comments',
  renderChunk: async (code) => transform(code, { format: 'esm', target: 'node20', sourcemap: 'external' }),
}

/** Packs what is published, with the bundle for `dist`, into a folder. */
function pack(folder: string): void {
  const staged = mkdtempSync(join(tmpdir(), 'millrace-pack-'))
  try {
    for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'docs', 'schema', 'src', 'templates'])
      cpSync(join(ROOT, name), join(staged, name), { recursive: true, filter: (file) => !file.includes('.vitepress') })
    cpSync(BUNDLE, join(staged, 'dist'), { recursive: true })
    const options = ['pack', '--ignore-scripts', '--silent', '--pack-destination', resolve(folder)]
    execFileSync('npm', options, { cwd: staged, stdio: 'inherit' })
  } finally {
    rmSync(staged, { recursive: true })
  }
}

/** Puts a folder to another place, and a third one there instead. */
function swap(folder: string, away: string, instead: string): void {
  rmSync(away, { recursive: true, force: true })
  renameSync(folder, away)
  renameSync(instead, folder)
}

const { values } = parseArgs({
  options: { pack: { type: 'string' }, swap: { type: 'boolean' }, restore: { type: 'boolean' } },
})
if (values.restore !== true) await bundle()
else if (existsSync(MODULES)) swap(DIST, BUNDLE, MODULES)
if (values.swap === true) swap(DIST, MODULES, BUNDLE)
if (values.pack !== undefined) pack(values.pack)
