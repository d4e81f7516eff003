/** Services as they are shipped: built by a bundler, with all packages in the bundle or beside it. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Project, project } from './project.js'

const SAID = {
  graphs: '[0,1,4]\n[100,101,104,109]\n',
  late: '[0,1,4]\n[100,101,104,109]\n',
  function: '[7,8]\n',
}

const tools = [
  'rollup@4',
  '@rollup/plugin-node-resolve',
  '@rollup/plugin-commonjs',
  'vite',
  'webpack',
  'webpack-cli',
  'tsup',
]
const own = project([...tools, 'typescript@5', '@types/node@20'])
const { skip } = own
const options = { skip, concurrency: 1 }

if (skip === false) assert.equal((await own.run('tsc', [])).code, 0)

async function built(command: string, args: readonly string[], env = {}): Promise<void> {
  const { code, out, err } = await own.run(command, args, env)
  assert.equal(code, 0, out + err)
}

/** A bundle, moved to where its sources are not: what is not in it is beside it. */
async function runs(made: string, file: string, isWhole: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-shipped-'))
  try {
    cpSync(join(own.folder, 'out', made), folder, { recursive: true })
    if (!isWhole) symlinkSync(join(own.folder, 'node_modules'), join(folder, 'node_modules'))
    for (const [what, said] of Object.entries(SAID)) await says(own, [join(folder, file)], what, said)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function says(project: Project, args: readonly string[], what: string, said: string): Promise<void> {
  const { code, out, err } = await project.run(process.execPath, ['--enable-source-maps', ...args], { WHAT: what })
  assert.equal(out, said, err)
  assert.equal(code, 0, err)
  if (what === 'function') assert.equal(err, '')
  else assert.match(err, /Error: no four\n.*graphs\.(ts|js):\d+/)
}

for (const isWhole of [true, false]) {
  const env: Record<string, string> = isWhole ? { WHOLE: '1' } : {}
  const title = isWhole ? 'everything in it' : 'packages beside it'

  test(`Rollup: ${title}, as ES modules and as CommonJS`, options, async () => {
    await built('rollup', ['-c', '--silent'], env)
    await runs('rollup-es', 'main.mjs', isWhole)
    await runs('rollup-cjs', 'main.cjs', isWhole)
  })

  test(`Vite, built for a server: ${title}${isWhole ? ', minified' : ''}`, options, async () => {
    await built('vite', ['build'], env)
    await runs('vite', 'main.js', isWhole)
  })

  test(`tsup: ${title}${isWhole ? ', minified' : ''}, as ES modules and as CommonJS`, options, async () => {
    await built('tsup', [], env)
    await runs('tsup', 'main.mjs', isWhole)
    await runs('tsup', 'main.cjs', isWhole)
  })
}

test(
  'webpack: everything in it, minified, in one file or several, as CommonJS and as ES modules; packages beside it',
  options,
  async () => {
    await built('webpack', [])
    await runs('webpack-cjs', 'main.cjs', true)
    await runs('webpack-split', 'main.cjs', true)
    await runs('webpack-esm', 'main.mjs', true)
    await runs('webpack-external', 'main.mjs', false)
  },
)
