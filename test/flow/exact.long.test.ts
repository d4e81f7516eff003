/** Bad days: many requests at once while workers are killed, stops amid many items, large bodies, clients that go away. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { RequestAnswer } from 'millrace/flow/server'
import { serveFlows } from 'millrace/flow/server'
import { runFlow } from 'millrace/flow'
import { assertConserved, until } from '../run/harness.js'
import { ends, exact, exactAnswer, filling } from './complaint-flows.js'
import { BEGAN, echo, waiting } from './flows.js'

const MINUTE = 60_000
const REQUESTS = 10_000
/** About so many while they are answered. */
const KILLS = 25

/** Numbers from 0 to below 1 that a seed decides (Mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

test(
  '10,000 requests at once while workers are killed: each is answered once, with its own answer',
  { timeout: 300_000 },
  async (t) => {
    const seed = Date.now() % 1_000_000
    t.diagnostic(`seed ${seed}`)
    const random = randomOf(seed)
    const restart = { maxRestarts: 100_000, backoffMs: 0, maxPoison: 1 }
    const running = await runFlow(exact, { restart, keepRequests: REQUESTS })
    const workers = running.pipeline.plan.stages
      .filter(({ host }) => host === 'pool')
      .flatMap(({ node, workers: pool }) => pool.map((_, worker) => [node, worker] as const))
    const requests = Array.from({ length: REQUESTS }, (_, n) => running.start(n))
    let answered = 0
    const answers = requests.map(async ({ answer }, n) => {
      assert.equal(await answer, exactAnswer(n))
      answered++
    })
    // Kills come at random while all of them are on their way.
    let kills = 0
    for (const isOver = (): boolean => answered === REQUESTS; !isOver();) {
      await running.pipeline.restartWorker(...workers[Math.floor(random() * workers.length)]!)
      kills++
      const next = Math.min(REQUESTS, answered + Math.ceil((random() * 2 * REQUESTS) / KILLS))
      await until(() => answered >= next, 'requests are answered', 1)
    }
    await Promise.all(answers)
    await Promise.all(requests.map(({ ended }) => ended))
    t.diagnostic(`${kills} kills`)
    assert.ok(kills > 5)
    assert.equal(ends.size, REQUESTS)
    assert.ok([...ends.values()].every((times) => times === 1))
    const report = await running.drain()
    assert.deepEqual([report.acked, report.abandoned], [REQUESTS, 0])
    assertConserved(running.pipeline)
  },
)

test('a stop amid many items gives all room back, however often', { timeout: 120_000 }, async () => {
  await using running = await runFlow(filling)
  // What waits in the join takes most of its room: without that given back, the second request has none.
  for (let turn = 0; turn < 20; turn++) {
    const request = running.start({ items: 900, slowFrom: 200 }, { id: `stopped ${turn}` })
    await until(() => running.pipeline.snapshot().nodes['all.each.one']!.done >= 200 * (turn + 1), 'answers wait')
    await running.stop(request.id)
    assert.equal(request.state, 'stopped')
    const { nodes, edges } = running.pipeline.snapshot()
    assert.ok(Object.values(nodes).every(({ inFlight }) => inFlight === 0))
    assert.ok(edges.every(({ queued }) => queued === 0))
  }
  assert.equal(await running.execute({ items: 200, slowFrom: 200 }), 200_000)
  assertConserved(running.pipeline)
})

test(
  'a body of 50 MB comes back as it went, and so do those of every byte and of none',
  { timeout: 120_000 },
  async () => {
    await using server = await serveFlows([echo], { port: 0, maxBodyBytes: 67_108_864 })
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    const large = new Uint8Array(50_000_000)
    for (let at = 0; at < large.length; at += 256) large.set(bytes.subarray(0, Math.min(256, large.length - at)), at)
    for (const body of [bytes, large]) {
      const headers = { 'content-type': 'application/octet-stream' }
      const response = await fetch(`${server.url}/flows/echo`, { method: 'POST', headers, body })
      assert.equal(response.status, 200)
      assert.ok(Buffer.from(await response.arrayBuffer()).equals(body))
    }
    const none = await fetch(`${server.url}/flows/echo`, { method: 'POST' })
    assert.equal(none.status, 204)
  },
)

test(
  'a client that goes away stops nothing, leaves nothing behind, and finds the answer later',
  { timeout: 120_000 },
  async () => {
    const params = { counts: new SharedArrayBuffer(12) }
    const counts = new Int32Array(params.counts)
    await using server = await serveFlows([waiting], { port: 0, run: { params } })
    const flow = server.flows.get('waiting')!
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'left' }
    const left = httpRequest(`${server.url}/flows/waiting`, { method: 'POST', headers })
    left.on('error', () => undefined)
    left.end('300')
    await until(() => counts[BEGAN] === 1, 'it began')
    left.destroy()
    const found = (await (await fetch(`${server.url}/flows/waiting/requests/left?wait=60000`)).json()) as RequestAnswer
    assert.deepEqual([found.state, found.answer], ['succeeded', 300])
    // One that goes away before all of its body has come has asked nothing.
    const socket = connect(server.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(
      'POST /flows/waiting HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n1',
    )
    socket.destroy()
    // A follower that goes away is forgotten, and the request goes on.
    const request = flow.start(MINUTE, { id: 'followed' })
    const follower = new AbortController()
    const address = `${server.url}/flows/waiting/requests/followed`
    const followed = await fetch(address, { headers: { accept: 'text/event-stream' }, signal: follower.signal })
    follower.abort()
    await assert.rejects(followed.text())
    assert.equal(request.state, 'running')
    await flow.stop('followed')
    assert.equal(flow.list().length, 2)
  },
)
