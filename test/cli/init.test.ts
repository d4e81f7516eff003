/** Projects that `millrace init` makes, with the packages of this repository beside them: they build, and their tests pass. */
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import { run } from 'millrace'
import { control } from 'millrace/control'
import graph from '../../examples/walkthrough/run/1-simple-etl.js'
import { databaseOnServer } from '../import/harness.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const CLI = join(ROOT, 'dist/cli/main.js')
const folder = mkdtempSync(join(tmpdir(), 'millrace-init-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const { to } = await databaseOnServer()

function init(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'init', ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  return { code: status, out: stdout, err: stderr }
}

/** As `npm install` would: the packages that the project names, from this repository. */
function link(project: string): void {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    const target = name === 'millrace' ? ROOT : join(ROOT, 'node_modules', name)
    assert.ok(existsSync(target), `${name} is installed`)
    const place = join(project, 'node_modules', name)
    mkdirSync(join(place, '..'), { recursive: true })
    symlinkSync(target, place)
  }
}

for (const kind of ['service', 'worker', 'importer']) {
  test(`${kind}: the project builds, and its tests pass`, async () => {
    const { code, out, err } = init(`My ${kind}`, '--kind', kind)
    assert.equal(code, 0, err)
    assert.match(out, new RegExp(`^Made my-${kind}:`))
    const project = join(folder, `My ${kind}`)
    link(project)
    execFileSync(process.execPath, [join(ROOT, 'node_modules/@typescript/native/bin/tsc'), '-p', project], {
      stdio: 'inherit',
    })
    // A test runner that is started by a test must not take itself for a part of it.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const ran = promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap', 'dist/test/graph.test.js'], {
      cwd: project,
      env: { ...env, ...(to === '' ? {} : { DATABASE_URL: to }) },
    })
    assert.match((await ran).stdout, /# fail 0\n/)
    assert.match((await ran).stdout, /# pass [1-9]/)
    const checked = spawnSync(process.execPath, [CLI, 'check', 'dist/src/graph.js', '--strict'], {
      cwd: project,
      encoding: 'utf8',
    })
    assert.equal(checked.status, 0, checked.stdout)
    const files = readdirSync(project)
    for (const file of ['.gitignore', '.dockerignore', 'Dockerfile', 'README.md', 'grafana'])
      assert.ok(files.includes(file), file)
    assert.doesNotMatch(readFileSync(join(project, 'package.json'), 'utf8'), /NAME|MILLRACE/)
  })
}

test('a folder with files is left alone, and so is one whose name makes no project', () => {
  mkdirSync(join(folder, 'full'))
  writeFileSync(join(folder, 'full/notes.txt'), 'mine')
  for (const [args, said] of [
    [['full'], /full is not empty \(notes\.txt\)/],
    [['...'], /is not empty|needs a letter/],
    [['new', '--kind', 'game'], /--kind takes service, worker, importer, not "game"/],
    [[], /Name one folder/],
  ] as const) {
    const { code, err } = init(...args)
    assert.equal(code, 2)
    assert.match(err, said)
  }
  assert.deepEqual(readdirSync(join(folder, 'full')), ['notes.txt'])
  assert.ok(!existsSync(join(folder, 'new')))
})

test('the dashboard asks only for metrics that a pipeline has', async (t) => {
  const text = readFileSync(join(ROOT, 'templates/common/grafana/dashboard.json'), 'utf8')
  const asked = new Set([...text.matchAll(/millrace_[a-z_]+/g)].map(([name]) => name.replace(/_bucket$/, '')))
  assert.ok(asked.size > 10)
  const app = Fastify()
  const pipeline = await run(graph)
  t.after(() => Promise.all([app.close(), pipeline.stop()]))
  await app.register(control(pipeline))
  const { body } = await app.inject('/metrics')
  const served = new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!))
  assert.deepEqual(
    [...asked].filter((name) => !served.has(name)),
    [],
  )
})
