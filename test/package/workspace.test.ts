/** Monorepos: the graph is a package of the workspace, and pnpm links packages instead of copying them. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { project } from './project.js'

const own = project(['pnpm@10', 'tsx'])

test('pnpm: a service runs the graph of another package of its workspace', { skip: own.skip }, async () => {
  const folder = join(own.folder, 'mono')
  const packed = readdirSync(own.folder).find((name) => name.endsWith('.tgz'))!
  const millrace = `file:${join(own.folder, packed)}`
  for (const name of ['graphs', 'service']) mkdirSync(join(folder, name), { recursive: true })
  cpSync(join(own.folder, 'src/graphs.ts'), join(folder, 'graphs/graphs.ts'))
  const write = (path: string, value: object): void => writeFileSync(join(folder, path), JSON.stringify(value))
  write('package.json', { private: true })
  writeFileSync(join(folder, 'pnpm-workspace.yaml'), 'packages: [graphs, service]\n')
  write('graphs/package.json', { name: 'graphs', type: 'module', exports: './graphs.ts', dependencies: { millrace } })
  const dependencies = { millrace, graphs: 'workspace:*', tsx: '4' }
  // The service names what brings the graph by an alias.
  mkdirSync(join(folder, 'service/own'))
  writeFileSync(join(folder, 'service/own/graphs.ts'), `export * from 'graphs'\n`)
  write('service/package.json', { type: 'module', dependencies })
  write('service/tsconfig.json', { compilerOptions: { module: 'esnext', paths: { '@own/*': ['./own/*.ts'] } } })
  const main = readFileSync(join(own.folder, 'src/main.ts'), 'utf8').replace('./graphs.ts', '@own/graphs')
  writeFileSync(join(folder, 'service/main.ts'), main)
  const installed = await own.run('pnpm', ['-C', folder, 'install', '--ignore-scripts'])
  assert.equal(installed.code, 0, installed.out + installed.err)
  const { code, out, err } = await own.run('pnpm', ['-C', join(folder, 'service'), 'exec', 'tsx', 'main.ts'])
  assert.equal(out, '[0,1,4]\n[100,101,104,109]\n', err)
  assert.equal(code, 0, err)
})
