/** A service as it is shipped by many: one file, made by esbuild. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'

const folder = mkdtempSync(join(tmpdir(), 'millrace-bundle-'))
after(() => rmSync(folder, { recursive: true }))
// The package lies beside the sources when they are bundled, and beside the bundle only where it is not in it.
for (const name of ['src', 'external']) mkdirSync(join(folder, name, 'node_modules'), { recursive: true })
for (const name of ['src', 'external'])
  symlinkSync(fileURLToPath(new URL('../../..', import.meta.url)), join(folder, name, 'node_modules/millrace'))
mkdirSync(join(folder, 'whole'))

/** Two graphs and a function that makes one; nothing is exported from the bundle. */
const GRAPHS = `
  import { dataflow } from 'millrace'
  const graphOf = (name, count) => dataflow(name, MODULE)
    .source('numbers', { produce: () => Array.from({ length: count }, (_, n) => n) })
    .transform('square', { concurrency: 2, map: (n, { params }) => n * n + params.more })
    .sink('out')
    .connect('numbers', 'square')
    .connect('square', 'out')
  export const [first, second] = [graphOf('first', 3), graphOf('second', 4)]
  export function makeGraph({ count }) {
    return graphOf('made', count)
  }
`
const MAIN = `
  import { run } from 'millrace'
  import { first, makeGraph, second } from './graphs.mjs'
  async function print(pipeline) {
    const records = []
    for await (const record of pipeline.output('out')) records.push(record)
    console.log(JSON.stringify(records.sort((a, b) => a - b)))
    await pipeline.finished
  }
  async function main() {
    if (process.env.WHAT === 'function') return print(await run(makeGraph, { params: { count: 2, more: 7 } }))
    if (process.env.WHAT === 'late') await new Promise((resolve) => setTimeout(resolve, 20))
    await print(await run(first, { params: { more: 0 } }))
    await print(await run(second, { params: { more: 100 } }))
  }
  main()
`
const SAID = {
  graphs: '[0,1,4]\n[100,101,104,109]\n',
  late: '[0,1,4]\n[100,101,104,109]\n',
  function: '[7,8]\n',
}

async function bundled(format: 'esm' | 'cjs', isWhole: boolean, minify: boolean): Promise<string> {
  const outfile = join(
    folder,
    isWhole ? 'whole' : 'external',
    `${format}${minify ? '.min' : ''}.${format === 'esm' ? 'mjs' : 'cjs'}`,
  )
  // A bundle in CommonJS has no `import.meta`: the library finds the bundle where it is in it itself.
  const module = format === 'cjs' && !isWhole ? '__filename' : 'import.meta.url'
  writeFileSync(join(folder, 'src/graphs.mjs'), GRAPHS.replace('MODULE', module))
  writeFileSync(join(folder, 'src/main.mjs'), MAIN)
  await build({
    entryPoints: [join(folder, 'src/main.mjs')],
    outfile,
    bundle: true,
    platform: 'node',
    format,
    minify,
    logLevel: 'error',
    ...(isWhole ? {} : { packages: 'external' as const }),
  })
  return outfile
}

for (const format of ['esm', 'cjs'] as const) {
  for (const isWhole of [true, false]) {
    for (const minify of [true, false]) {
      const title = `${format}, ${isWhole ? 'everything in it' : 'packages beside it'}${minify ? ', minified' : ''}`
      test(`one file of esbuild runs: ${title}`, async () => {
        const file = await bundled(format, isWhole, minify)
        for (const what of minify ? (['graphs', 'function'] as const) : (['late'] as const)) {
          const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], {
            env: { ...process.env, WHAT: what },
            timeout: 30_000,
          })
          assert.equal(stdout, SAID[what], stderr)
          assert.equal(stderr, '')
        }
      })
    }
  }
}
