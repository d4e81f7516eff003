import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from 'millrace'
import { control } from '#src/control/index.js'
import { fastify } from 'fastify'
import * as graphs from './graphs.js'
import { served, until } from './harness.js'

test('pipelines come and go while the server runs', async () => {
  const [first, second] = [await run(graphs.pushed), await run(graphs.pushed)]
  await served(first, {}, async ({ server, get, ask }) => {
    const names = async (): Promise<string[]> =>
      (await get('/pipelines')).pipelines.map(({ name }: { name: string }) => name)
    assert.throws(() => server.add(second), { code: 'PIPELINE_NAME_TAKEN' })
    server.add(second, 'second')
    server.add(run(graphs.doomed), 'doomed')
    assert.deepEqual(await names(), ['pushed', 'second', 'doomed'])
    const watching = await fetch(`${server.url}/pipelines/second/watch?after=0`)
    const reader = watching.body!.getReader()
    await reader.read()
    assert.equal((await ask('POST', '/pipelines/second/pause')).json.isPaused, true)
    server.remove('second')
    assert.equal((await ask('GET', '/pipelines/second')).json.error.code, 'PIPELINE_UNKNOWN')
    assert.throws(() => server.remove('second'), { code: 'PIPELINE_UNKNOWN' })
    await until('whoever follows it is told no more', async () => (await reader.read()).done)
    assert.equal(second.state, 'running')
    await until('one that fails is shown as such', async () => (await get('/pipelines/doomed')).state === 'failed')
  })
  await Promise.all([first.stop(), second.stop()])
})

test('so they do where the API is a plugin', async () => {
  const pipeline = await run(graphs.pushed)
  const plugin = control([])
  const app = fastify()
  await app.register(plugin, { prefix: '/millrace' })
  const count = async (): Promise<number> =>
    (await app.inject({ url: '/millrace/pipelines', headers: { host: 'localhost' } })).json().pipelines.length
  assert.equal(await count(), 0)
  plugin.add(pipeline)
  assert.equal(await count(), 1)
  plugin.remove('pushed')
  assert.equal(await count(), 0)
  await app.close()
  await pipeline.stop()
})
