import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROUNDS = 8

test('what a worker says, writes and reports at its very end arrives', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-words-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const script = fileURLToPath(new URL('./modules/last-words.js', import.meta.url))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, String(ROUNDS), folder])
  const [said, complained] = [new Set(stdout.split('\n')), new Set(stderr.split('\n'))]
  for (let round = 0; round < ROUNDS; round++) {
    for (let n = 1; n <= 3; n++) assert.ok(complained.has(`round ${round}: record ${n}`), `round ${round}, record ${n}`)
    for (let i = 0; i < 50; i++)
      assert.ok(said.has(`round ${round}: line ${i} ${'.'.repeat(1_000)}`), `round ${round}, line ${i}`)
    assert.equal(readFileSync(join(folder, String(round)), 'utf8').length, 700_000)
  }
  for (let i = 0; i < 50; i++) assert.ok(complained.has(`complaint ${i}`), `complaint ${i}`)
  assert.ok(complained.has('failures 100'), stderr.slice(-200))
})
