/** The examples of the pages about tracing run as they stand. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SegmentStore } from '#src/trace/store/segments/segment-store.js'
import { play } from './model.js'

// Within the package, so that the examples find it by its name.
const folder = mkdtempSync(fileURLToPath(new URL('docs-', import.meta.url)))
after(() => rmSync(folder, { recursive: true }))
const { run, events } = play(25, { chunks: 30, pipeline: 'orders' })
const store = new SegmentStore(join(folder, 'traces'))
await store.begin(run)
store.write(events)
await store.close()

for (const page of ['tracing-questions', 'trace-store'])
  test(`the examples of docs/${page}.md run`, () => {
    const text = readFileSync(new URL(`../../../docs/${page}.md`, import.meta.url), 'utf8')
    const examples = [...text.matchAll(/^```js\n([^]*?)^```/gm)].map(([, code]) => code!)
    assert.ok(examples.length > 0)
    for (const [i, code] of examples.entries()) {
      const file = join(folder, `${page}-${i}.mjs`)
      writeFileSync(file, code)
      const out = execFileSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' })
      assert.ok(out.length > 0)
    }
  })
