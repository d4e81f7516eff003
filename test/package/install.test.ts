/** The package as npm installs it, with each version of Node that it supports: no warning, and it runs. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { project } from './project.js'

const own = project(['node20@npm:node@20', 'node22@npm:node@22', 'node24@npm:node@24'])
const CODE = `import { dataflow, run } from 'millrace'
const graph = dataflow('sum', import.meta.url)
  .source('in', { produce: () => [1, 2, 3] })
  .transform('double', { map: (n) => n * 2 })
  .sink('out')
  .connect('in', 'double')
  .connect('double', 'out')
let sum = 0
for await (const n of (await run(graph)).output('out')) sum += n
console.log(sum)
`

for (const version of ['20', '22', '24']) {
  test(`Node ${version}: npm installs it without a warning, and it runs`, { skip: own.skip }, async () => {
    const node = join(own.folder, `node_modules/node${version}/bin/node`)
    const npm = realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim())
    const folder = join(own.folder, `on-${version}`)
    mkdirSync(folder)
    writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}')
    writeFileSync(join(folder, 'main.js'), CODE)
    const packed = join(
      own.folder,
      readdirSync(own.folder).find((name) => name.endsWith('.tgz'))!,
    )
    const args = [npm, 'install', '--prefix', folder, '--no-audit', '--no-fund', '--prefer-offline', packed]
    const installed = await own.run(node, args)
    assert.equal(installed.code, 0, installed.err)
    assert.doesNotMatch(installed.err, /warn/i)
    const { out, err } = await own.run(node, [join(folder, 'main.js')])
    assert.equal(out, '12\n', err)
    assert.equal(err, '')
  })
}
