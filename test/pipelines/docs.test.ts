/** The examples of docs/pipelines.md run as they stand, and print what stands below them. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

// Within the package, so that the examples find it by its name.
const folder = mkdtempSync(fileURLToPath(new URL('docs-', import.meta.url)))
after(() => rmSync(folder, { recursive: true }))
const page = readFileSync(new URL('../../../docs/pipelines.md', import.meta.url), 'utf8')
const examples = [...page.matchAll(/^```js\n([^]*?)^```\n\n```text\n([^]*?)^```/gm)]
const count = page.match(/^```js$/gm)?.length

test('every example of the page says what it prints', () => {
  assert.ok(examples.length > 0)
  assert.equal(examples.length, count)
})

/** Records that wait for another attempt may end before others or after them. */
function linesOf(text: string): readonly string[] {
  return text.split('\n').sort()
}

for (const [i, [, code, printed]] of examples.entries()) {
  test(`example ${i + 1} of docs/pipelines.md prints what it says: ${/dataflow\('([^']*)'/.exec(code!)?.[1]}`, async () => {
    const file = join(folder, `${i}.mjs`)
    writeFileSync(file, code!)
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder })
    assert.deepEqual(linesOf(stdout), linesOf(printed!))
  })
}
