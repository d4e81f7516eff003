import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const WITHOUT_CODE = '--disallow-code-generation-from-strings'

/** Fails unless these files of tests pass in a process that may not compile. */
export function passWithoutCode(names: readonly string[]): void {
  for (const name of names) {
    const path = fileURLToPath(new URL(`${name}.test.js`, import.meta.url))
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { status, stdout } = spawnSync(process.execPath, [WITHOUT_CODE, path], { env, encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  }
}
