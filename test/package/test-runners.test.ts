/** Tests of users: a pipeline runs in a test file in TypeScript, be the graph in that file or in a module of its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { project } from './project.js'

const own = project(['typescript@5', '@types/node@20', 'tsx', 'vitest', 'jest', 'ts-jest'])
const options = { skip: own.skip, concurrency: 1 }

async function passes(said: RegExp, command: string, args: readonly string[], env = {}): Promise<void> {
  const { code, out, err } = await own.run(command, args, env)
  assert.match(out + err, said)
  assert.doesNotMatch(out + err, /MillraceWarning/)
  assert.equal(code, 0, out + err)
}

test('vitest', options, () => passes(/Tests +3 passed/, 'vitest', ['run']))

test('jest, with ES modules', options, () =>
  passes(/Tests: +3 passed/, 'jest', [], { NODE_OPTIONS: '--experimental-vm-modules' }),
)

test('node:test, with tsx', options, () =>
  passes(/pass 3\b/, 'node', ['--import', 'tsx', '--test', 'tests/inline.node.ts', 'tests/imported.node.ts']),
)
