/** The import as a user runs it, into the embedded database. One database for all: making one takes seconds. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { VEGA, folderOf, importByCommand, put, temporaryFolder } from './harness.js'

const cwd = temporaryFolder()

test('columns that come and types that widen are told; half a file that failed fails the import', async () => {
  const directory = folderOf({ 'a.csv': 'id,n\n1,1\n', 'b.csv': 'a,b\n1\n2\n' }, 'nightly')
  await importByCommand([directory], { cwd })
  put(directory, { 'a.csv': 'id,n,day\n1,1.5,2024-01-01\n' })
  const { code, stdout } = await importByCommand([directory], { cwd })
  assert.equal(code, 1)
  assert.match(stdout, /a\.csv +nightly\.a +1 +1 +0\n/)
  assert.match(stdout, /b\.csv .*FAILED: 100 % of its rows are dead letters/)
  assert.match(stdout, /Column nightly\.a\.n: bigint became numeric, for "1\.5" on line 2\./)
  assert.match(stdout, /Column nightly\.a\.day: new: date\./)
  assert.match(stdout, /Not imported: 1 file; their tables are as they were\./)
})

test('one import at a time uses the embedded database', async () => {
  const path = join(cwd, '.millrace', 'import', 'import.pid')
  writeFileSync(path, String(process.pid))
  const refused = await importByCommand([folderOf({ 'a.csv': 'id\n1\n' })], { cwd })
  assert.equal(refused.code, 75)
  assert.match(refused.stderr, new RegExp(`Another import \\(process ${process.pid}\\) is using the embedded database`))
  // Nobody has this number any more: a process that was killed leaves its own behind.
  writeFileSync(path, '2147483646')
  assert.equal((await importByCommand([folderOf({ 'a.csv': 'id\n1\n' })], { cwd })).code, 0)
})

test('Ctrl-C drains: what is not imported is told', async () => {
  const interrupted = await importByCommand([VEGA, '--json', '--source', 'again'], {
    cwd,
    onStart: (child) => {
      const onProgress = (text: Buffer): void => {
        if (!/ s: files/.test(text.toString())) return
        child.stderr!.off('data', onProgress)
        child.kill('SIGINT')
      }
      child.stderr!.on('data', onProgress)
    },
  })
  const { code, summary } = interrupted
  assert.deepEqual([code, summary.isInterrupted], [130, true], interrupted.stderr)
  assert.equal(summary.imported + summary.failed, 24)
})

test('what cannot begin is said in a line: no directory, no files, nowhere to write, a wrong declaration, a wrong call', async () => {
  const missing = await importByCommand([join(cwd, 'nowhere'), '--json'], { cwd })
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /^.*\n.*nowhere cannot be read: ENOENT.*\n$/)
  const none = await importByCommand([folderOf({ 'a.txt': '' })], { cwd })
  assert.match(none.stderr, /holds no file to import/)
  const wrong = folderOf({
    'a.csv': 'id\n1\n',
    'millrace-import.json': '{"kinds": [{"patern": "a.csv", "mode": "upsert"}]}',
  })
  const { code, stderr } = await importByCommand([wrong], { cwd })
  assert.equal(code, 1)
  assert.match(stderr, /There is no kinds\[0\]\.patern; there are pattern, name,/)
  assert.match(stderr, /kinds\[0\] has no pattern\./)
  assert.match(stderr, /kinds\[0\]: the mode upsert, and no other, has a key\./)
  assert.equal((await importByCommand(['--jsn'], { cwd })).code, 2)
  assert.equal((await importByCommand([], { cwd })).code, 2)
  // A file in the way of the directory: root may write where nobody else may.
  const blocked = temporaryFolder()
  writeFileSync(join(blocked, '.millrace'), '')
  const refused = await importByCommand([folderOf({ 'a.csv': 'id\n1\n' })], { cwd: blocked })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /The embedded database cannot be kept in .*: (ENOTDIR|EEXIST)/)
  assert.doesNotMatch(refused.stderr, /\n\s+at /)
  const readOnly = temporaryFolder()
  mkdirSync(join(readOnly, 'csv'))
  put(join(readOnly, 'csv'), { 'a.csv': 'id\n1\n' })
  chmodSync(join(readOnly, 'csv'), 0o555)
  assert.equal((await importByCommand([join(readOnly, 'csv')], { cwd })).code, 0)
  assert.deepEqual(readdirSync(join(readOnly, 'csv')), ['a.csv'])
})
