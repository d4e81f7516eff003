/** Projects of `millrace init`, as a user gets them: from the registry, with the package as it is published. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { project } from './project.js'

const own = project([])

for (const kind of ['service', 'worker', 'importer']) {
  test(`${kind}: npm installs it without a warning, and its tests pass`, { skip: own.skip }, async () => {
    const made = await own.run('millrace', ['init', kind, '--kind', kind])
    assert.equal(made.code, 0, made.err)
    const packed = join(
      own.folder,
      readdirSync(own.folder).find((name) => name.endsWith('.tgz'))!,
    )
    const prefix = ['--prefix', join(own.folder, kind)]
    const installed = await own.run('npm', [
      'install',
      ...prefix,
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      packed,
    ])
    assert.equal(installed.code, 0, installed.err)
    assert.doesNotMatch(installed.err, /warn/i)
    const tested = await own.run('npm', ['test', ...prefix])
    assert.equal(tested.code, 0, tested.out + tested.err)
    assert.match(tested.out, /fail 0\b/)
  })
}
