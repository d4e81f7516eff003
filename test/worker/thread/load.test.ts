import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { importModule } from '#src/worker/thread/load.js'

test('where Node loads no TypeScript, and neither tsx nor jiti is beside the module, the error names both', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-load-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'typed.ts'), 'export const one: number = 1\n')
  const load = importModule(pathToFileURL(join(folder, 'typed.ts')).href, 'auto')
  if ((process.features as { typescript?: unknown }).typescript) assert.equal((await load)['one'], 1)
  else await assert.rejects(load, /MODULE_NOT_LOADED.*typed\.ts.*tsx.*jiti/)
})
