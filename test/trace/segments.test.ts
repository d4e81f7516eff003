/** Segments: the suite of all stores, then files that are torn, damaged, full, too old, and writers that are killed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, mock, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { SegmentStore, type SegmentStoreOptions } from '#src/trace/store/segments/segment-store.js'
import { play } from './model.js'
import { read, storeSuite } from './store-suite.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-trace-'))
after(() => rmSync(folder, { recursive: true }))
let count = 0
const place = (): string => join(folder, `own${count++}`)

storeSuite({
  name: 'segments',
  isKept: true,
  open: (name) => new SegmentStore(join(folder, name), { blockEvents: 16 }),
})

const files = (directory: string): string[] =>
  (readdirSync(directory, { recursive: true }) as string[]).filter((name) => name.endsWith('.seg')).sort()

const many = play(4, { chunks: 200 })

async function written(directory: string, options: SegmentStoreOptions = {}): Promise<void> {
  const store = new SegmentStore(directory, { blockEvents: 20, ...options })
  await store.begin(many.run)
  store.write(many.events)
  await store.close()
}

test('a segment that is cut anywhere gives all blocks before the cut', async () => {
  const directory = place()
  await written(directory)
  const file = join(directory, files(directory)[0]!)
  const whole = readFileSync(file)
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), async (cut) => {
      writeFileSync(file, whole)
      truncateSync(file, cut)
      const store = new SegmentStore(directory)
      const found = await read(store)
      assert.deepEqual(found, many.events.slice(0, found.length))
      assert.ok(found.length === many.events.length || found.length % 20 === 0)
    }),
    { numRuns: 60 },
  )
  writeFileSync(file, whole)
})

test('a block that is damaged is left out and counted; a file that is no segment is nothing', async () => {
  const directory = place()
  await written(directory)
  const file = join(directory, files(directory)[0]!)
  const bytes = readFileSync(file)
  bytes[bytes.indexOf('BLCK', bytes.indexOf('BLCK') + 1) + 40]! ^= 1
  writeFileSync(file, bytes)
  const store = new SegmentStore(directory)
  const found = await read(store)
  assert.deepEqual(found, [...many.events.slice(0, 20), ...many.events.slice(40)])
  assert.deepEqual(store.damage, { tornBytes: 0, damagedBlocks: 1 })
  writeFileSync(file, 'not a segment at all')
  assert.deepEqual(await read(new SegmentStore(directory)), [])
})

test('segments roll by bytes, and retention takes the oldest by bytes and by age', async () => {
  const directory = place()
  await written(directory, { segmentBytes: 4_000 })
  const all = files(directory)
  assert.ok(all.length > 3, `${all.length} segments`)
  assert.deepEqual(await read(new SegmentStore(directory)), many.events)
  const old = join(directory, all[0]!)
  utimesSync(old, new Date(0), new Date(0))
  const next = new SegmentStore(directory)
  await next.begin(play(6).run)
  next.write(play(6).events)
  await next.close()
  assert.ok(!files(directory).includes(all[0]!), 'the old one is gone')
  assert.equal(files(directory).length, all.length)
  const small = new SegmentStore(directory, { maxBytes: 1 })
  await small.begin(play(7).run)
  small.write(play(7).events)
  await small.close()
  assert.deepEqual(files(directory), [])
})

test('a full disk costs what it has no room for, counted, and nothing else', async () => {
  const directory = place()
  const store = new SegmentStore(directory, { blockEvents: 20 })
  await store.begin(many.run)
  store.write(many.events.slice(0, 60))
  await store.flush()
  const probe = await open(join(folder, 'probe'), 'w')
  const handle = Object.getPrototypeOf(probe) as {
    write: (bytes: Buffer, ...more: number[]) => Promise<{ bytesWritten: number }>
  }
  await probe.close()
  const real = handle.write
  let isFull = false
  const broken = mock.method(
    handle,
    'write',
    function (this: typeof handle, bytes: Buffer, offset: number, length: number, at: number) {
      if (isFull)
        return Promise.reject(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }))
      isFull = true
      return real.call(this, bytes, offset, Math.min(100, length), at)
    },
  )
  store.write(many.events.slice(60, 120))
  await store.flush()
  broken.mock.restore()
  const { written: kept, dropped, failures, lastFailure } = store.stats()
  assert.deepEqual([kept, dropped, failures], [60, 60, 3])
  assert.match(lastFailure!, /ENOSPC/)
  store.write(many.events.slice(120))
  await store.close()
  assert.deepEqual(await read(new SegmentStore(directory)), [...many.events.slice(0, 60), ...many.events.slice(120)])
})

test('a folder that cannot be written is counted and reported; so is a queue that is full', async () => {
  const directory = place()
  mkdirSync(directory)
  writeFileSync(join(directory, many.run.run), 'a file where the folder of the run should be')
  const store = new SegmentStore(directory)
  await store.begin(many.run)
  store.write(many.events)
  await store.close()
  assert.equal(store.stats().dropped, many.events.length)
  assert.match(store.stats().lastFailure!, /EEXIST|ENOTDIR/)
  const narrow = new SegmentStore(place(), { maxPending: 50, blockEvents: 10 })
  narrow.write(many.events.slice(0, 80))
  await narrow.close()
  const { written: kept, dropped } = narrow.stats()
  assert.deepEqual([kept, dropped], [50, 30])
})

test('a writer that is killed at any moment loses what was not written yet, and nothing that was', async () => {
  const script = fileURLToPath(new URL('segment-writer.js', import.meta.url))
  for (let round = 0; round < 5; round++) {
    const directory = place()
    const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (text: Buffer) => (out += text.toString()))
    while (out.split('\n').length < 4 + round) await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'close')
    const flushed = Number(out.split('\n').findLast((line, i, all) => i < all.length - 1 && line !== ''))
    const found = await read(new SegmentStore(directory))
    assert.ok(found.length >= flushed, `${found.length} of ${flushed}`)
    assert.ok(found.every(({ sequence }, i) => sequence === i))
    const next = new SegmentStore(directory)
    await next.begin(many.run)
    next.write(many.events)
    await next.close()
    assert.equal((await read(new SegmentStore(directory))).length, found.length + many.events.length)
  }
})

test('a folder that is not there is an empty store', async () => {
  const store = new SegmentStore(join(folder, 'nowhere'))
  assert.deepEqual(await store.runs(), [])
  assert.deepEqual(await read(store), [])
  assert.throws(() => statSync(join(folder, 'nowhere')))
  chmodSync(folder, 0o755)
})
