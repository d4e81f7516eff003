/** What the command says where a sheet cannot be made as it was asked for. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { types } from '../../src/sheet/node-util.ts'

const CLI = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const GRAPH = fileURLToPath(new URL('../../examples/walkthrough/2-iot.js', import.meta.url))

function draw(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'draw', GRAPH, ...args], { encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

test('a sheet is one document, and the same each time', () => {
  const { code, out, err } = draw('--format', 'html', '--cores', '2')
  assert.equal(code, 0, err)
  assert.match(out, /^<!doctype html>/)
  assert.doesNotMatch(out, /(?:src|href)=|%[A-Z]+%/)
  assert.equal(out, draw('--format', 'html', '--cores', '2').out)
})

test('what only other formats take is refused, and so is --diff for these', () => {
  for (const [args, said] of [
    [['--format', 'html', '--theme', 'dark'], /--theme cannot be used with html/],
    [['--format', 'svg', '--diff', GRAPH], /--diff takes --format html/],
    [['--format', 'pdf'], /mermaid, dot, svg, html/],
  ] as const) {
    const { code, err } = draw(...args)
    assert.equal(code, 2)
    assert.match(err, said)
  }
})

test('what errors ask of `node:util` is in the sheet too', () => {
  const source = readFileSync(new URL('../../../src/shown.ts', import.meta.url), 'utf8')
  const asked = new Set([...source.matchAll(/\btypes\.(\w+)/g)].map(([, name]) => name!))
  assert.ok(asked.size > 5)
  assert.deepEqual(
    [...asked].filter((name) => !Object.hasOwn(types, name)),
    [],
  )
})
