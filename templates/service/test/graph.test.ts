import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { run } from 'millrace'
import { makeApp } from '../src/app.ts'
import graph from '../src/graph.ts'

const pipeline = await run(graph)
const app = await makeApp(pipeline)
after(async () => {
  await app.close()
  await pipeline.drain()
})

async function hash(salt: string): Promise<string> {
  const answer = await app.inject({ method: 'POST', url: '/hash', payload: { text: 'mill', salt } })
  assert.equal(answer.statusCode, 200)
  return answer.json<{ hash: string }>().hash
}

test('a text has the same hash each time, and another one with another salt', async () => {
  assert.match(await hash('one'), /^[\da-f]{64}$/)
  assert.equal(await hash('one'), await hash('one'))
  assert.notEqual(await hash('one'), await hash('two'))
})

test('a request without a salt is refused', async () => {
  const answer = await app.inject({ method: 'POST', url: '/hash', payload: { text: 'mill' } })
  assert.equal(answer.statusCode, 400)
})

test('the service is ready', async () => {
  assert.equal((await app.inject('/millrace/ready')).statusCode, 200)
})
