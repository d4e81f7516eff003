import { deepEqual, equal, match } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { scryptSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

test('the first example hashes every line of its input once', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-first-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const lines = ['one', 'two', 'three']
  const [input, output] = [join(folder, 'in.txt'), join(folder, 'out.ndjson')]
  writeFileSync(input, `${lines.join('\n')}\n`)

  const said = execFileSync(process.execPath, [join(root, 'build/examples/first/main.js'), input, output], {
    encoding: 'utf8',
  })

  match(said, /^3 lines hashed, 0 failed/)
  const rows = readFileSync(output, 'utf8').trim().split('\n')
  deepEqual(
    rows.sort(),
    lines.map((line) => JSON.stringify({ line, hash: scryptSync(line, 'salt', 16).toString('hex') })).sort(),
  )
})

test('the README shows the first example as it is', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [graph, main] = ['graph', 'main'].map((name) => readFileSync(join(root, `examples/first/${name}.ts`), 'utf8'))
  const blocks = [...readme.matchAll(/```ts\n(\/\/ [\w.]+\n)?([^]*?)```/g)].map(([, , code]) => code!)
  equal(blocks[0], graph)
  equal(blocks[1], main)
})
