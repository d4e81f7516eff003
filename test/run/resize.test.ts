import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type MillraceError, type Pipeline, run } from 'millrace'
import { until } from './harness.js'
import * as graphs from './resize-graphs.js'

const refused = (reason: RegExp) => (error: MillraceError) => {
  assert.equal(error.code, 'RESIZE_REFUSED')
  assert.match(error.message, reason)
  return true
}

/** Resizes again and again until the pipeline ends. */
async function keepResizing(
  pipeline: Pipeline,
  sizes: readonly number[],
  then: () => Promise<unknown>,
): Promise<number> {
  let resizes = 0
  try {
    for (; ; resizes++) {
      await pipeline.resize('work', sizes[resizes % sizes.length]!)
      await then()
    }
  } catch (error) {
    assert.equal((error as MillraceError).code, 'RESIZE_REFUSED', String(error))
  }
  return resizes
}

async function checkByKey(pipeline: Pipeline): Promise<ReadonlySet<number>> {
  const last = new Map<number, number>()
  const workers = new Set<number>()
  let count = 0
  for await (const record of pipeline.output('out')) {
    const { key, n, worker } = record as graphs.Numbered & { worker: number }
    assert.ok(n > (last.get(key) ?? -1), `${n} came after ${last.get(key)}`)
    last.set(key, n)
    workers.add(worker)
    count++
  }
  assert.equal(count, graphs.RECORDS)
  return workers
}

test('a stage that is resized again and again sends each record once, in order by key', async (t) => {
  const pipeline = await run(graphs.byKey)
  const checked = checkByKey(pipeline)
  const resizes = await keepResizing(pipeline, [4, 1, 3, 2], () => Promise.resolve())
  const workers = await checked
  t.diagnostic(`${resizes} resizes, ${workers.size} workers`)
  assert.ok(resizes > 0 && workers.size > 2)
})

test('so does one whose workers are killed meanwhile', async (t) => {
  const pipeline = await run(graphs.byKey)
  let deaths = 0
  pipeline.events.on('worker.died', () => deaths++)
  const checked = checkByKey(pipeline)
  const kill = (): Promise<void> => pipeline.restartWorker('work', 0)
  await keepResizing(pipeline, [4, 1, 3, 2], kill)
  await checked
  t.diagnostic(`${deaths} deaths`)
  assert.ok(deaths > 0)
})

test('new workers take records, and those that are too many leave', async () => {
  const pipeline = await run(graphs.byDemand)
  const workers = new Set<number>()
  const read = (async () => {
    for await (const record of pipeline.output('out')) workers.add((record as { worker: number }).worker)
  })()
  const states = (): string[] =>
    pipeline
      .workers()
      .filter(({ node }) => node === 'work')
      .map(({ state }) => state)
  await until(() => states().join() === 'running,vacant,vacant', 'one worker runs')
  const resized: object[] = []
  pipeline.events.on('stage.resized', ({ node, from, to }) => resized.push({ node, from, to }))
  await pipeline.resize('work', 3)
  await until(() => states().every((state) => state === 'running'), 'all seats are taken')
  for (let n = 0; workers.size < 3; n++) await (await pipeline.push('in', n)).done
  await pipeline.resize('work', 1)
  assert.deepEqual(states(), ['running', 'vacant', 'vacant'])
  workers.clear()
  for (let n = 0; n < 100; n++) await (await pipeline.push('in', n)).done
  assert.deepEqual([...workers], [0])
  assert.deepEqual(resized, [
    { node: 'work', from: 1, to: 3 },
    { node: 'work', from: 3, to: 1 },
  ])
  await pipeline.drain()
  await read
})

test('open batches of a worker that loses keys complete at once', async () => {
  const pipeline = await run(graphs.batches)
  const out: number[] = []
  const read = (async () => {
    for await (const n of pipeline.output('out')) out.push(n as number)
  })()
  const receipts = []
  for (let n = 0; n < 50; n++) receipts.push(await pipeline.push('in', n))
  await pipeline.resize('work', 4)
  await Promise.all(receipts.map(({ done }) => done))
  assert.equal(out.length, 50)
  await pipeline.drain()
  await read
})

test('where a new worker cannot be set up the stage stays as it is, and the next try may succeed', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'resize-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'ready')
  const pipeline = await run(graphs.halfReady, { params: file })
  const read = (async () => {
    for await (const record of pipeline.output('out')) void record
  })()
  await assert.rejects(pipeline.resize('work', 2), { code: 'START_FAILED', message: /worker 1 cannot/ })
  await (
    await pipeline.push('in', 1)
  ).done
  writeFileSync(file, '')
  await pipeline.resize('work', 2)
  await pipeline.resize('work', 1)
  assert.ok(existsSync(`${file}.1`), 'a worker that leaves runs its teardown')
  for (let i = 0; i < 4; i++) await pipeline.resize('work', 1 + (i % 2 === 0 ? 1 : 0))
  await pipeline.drain()
  await read
})

test('a resize that cannot be is refused', async () => {
  const pipeline = await run(graphs.byDemand)
  const read = (async () => {
    for await (const record of pipeline.output('out')) void record
  })()
  await assert.rejects(pipeline.resize('nobody', 2), { code: 'NODE_UNKNOWN' })
  await assert.rejects(pipeline.resize('out', 2), refused(/no `maxConcurrency`/))
  for (const workers of [0, 4, 1.5, NaN, Infinity]) {
    await assert.rejects(pipeline.resize('work', workers), refused(/is not a number of workers from 1 to 3/))
  }
  await pipeline.resize('work', 1)
  await pipeline.drain()
  await read
  await assert.rejects(pipeline.resize('work', 2), refused(/not running/))
})
