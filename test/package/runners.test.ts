/** TypeScript without a build, and other runtimes than Node. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { project } from './project.js'

const own = project(['typescript@5', '@types/node@20', 'tsx', 'node@24', 'bun', 'deno'])
// Workers take the first loader that they find: here there is only this one.
const withTsNode = project(['typescript@5', '@types/node@20', 'ts-node'], { type: 'commonjs' })
const options = { skip: own.skip, concurrency: 1 }
const SAID = { graphs: '[0,1,4]\n[100,101,104,109]\n', function: '[7,8]\n' }

async function runs(command: string, ...args: string[]): Promise<void> {
  for (const [what, said] of Object.entries(SAID)) {
    const { code, out, err } = await own.run(command, args, { WHAT: what })
    assert.equal(out, said, err)
    assert.equal(code, 0, err)
  }
}

test('tsx runs a service in TypeScript', options, () => runs('tsx', 'src/main.ts'))

test('the command runs a graph in TypeScript, with tsx', options, async () => {
  const args = ['run', 'src/graphs.ts', '--graph', 'first', '--params', '{"more":0}', '--no-api']
  const { code, out, err } = await own.run('millrace', args)
  assert.equal(out.trim().split('\n').length, 3, err)
  assert.equal(code, 0, err)
})

test('Node that strips types runs a service in TypeScript', options, () =>
  runs(join(own.folder, 'node_modules/node/bin/node'), 'src/main.ts'),
)

test('Bun runs a service in TypeScript', options, () => runs('bun', 'src/main.ts'))

test('Deno runs a service in TypeScript', options, () => runs('deno', 'run', '--allow-all', 'src/main.ts'))

test('ts-node runs a service in TypeScript that is CommonJS', { ...options, skip: withTsNode.skip }, async () => {
  const { code, out, err } = await withTsNode.run('ts-node', ['commonjs/main.ts'])
  assert.equal(out, '[0,1,4]\n', err)
  assert.equal(code, 0, err)
})
