import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { EventLog } from '#src/control/event-log.js'
import { Subscriber, message } from '#src/control/subscriber.js'
import { ControlClient, type WatchMessage } from '#src/control/index.js'
import * as graphs from './graphs.js'
import { controlled, until } from './harness.js'

/** Reads a stream of events until enough have come. */
async function messages(url: string, enough: (all: WatchMessage[]) => boolean, lastId?: string): Promise<any[]> {
  const stop = new AbortController()
  const response = await fetch(url, {
    signal: stop.signal,
    headers: lastId === undefined ? {} : { 'last-event-id': lastId },
  })
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  const all: any[] = []
  let rest = ''
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split('\n\n')
    rest = parts.pop()!
    for (const part of parts) {
      const of = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1]
      if (of('data') !== undefined) all.push({ name: of('event'), id: of('id'), data: JSON.parse(of('data')!) })
    }
    if (enough(all)) break
  }
  stop.abort()
  return all
}

test('snapshots come at the rate that was asked for, and move', async () => {
  await controlled(graphs.mill, {}, async ({ server }) => {
    const url = `${server.url}/pipelines/mill/watch?rateHz=10&events=false`
    const all = await messages(url, (found) => found.length >= 8)
    const times = all.map(({ data }) => data.time)
    assert.ok(times.every((time, i) => i === 0 || time > times[i - 1]))
    const [first, last] = [all[0].data, all.at(-1).data]
    assert.ok(last.stages[0].in > first.stages[0].in && last.stages[0].inPerSecond > 0)
    assert.ok(last.edges[0].records > first.edges[0].records && last.edges[0].recordsPerSecond > 0)
    assert.deepEqual(
      last.stages.map(({ node }: any) => node),
      ['sensors', 'parse', 'store', 'tens'],
    )
    assert.equal(last.edges.length, 5)
  })
})

test('a subscriber that comes back gets every event that it has missed, once', async () => {
  await controlled(graphs.pushed, {}, async ({ server, ask }) => {
    const url = `${server.url}/pipelines/pushed/watch?snapshots=false`
    const fail = () => ask('POST', '/pipelines/pushed/records', { node: 'in', record: -1, waitMs: 10_000 })
    const reading = messages(`${url}&after=0`, (all) => all.length >= 2)
    await fail()
    await fail()
    const seen = await reading
    assert.deepEqual(
      seen.map(({ data }) => data.name),
      ['record.failed', 'record.failed'],
    )
    assert.equal('message' in seen[0].data.fields.error, false)
    await fail()
    await fail()
    const missed = await messages(url, (all) => all.length >= 2, seen.at(-1).id)
    assert.deepEqual(
      missed.map(({ data }) => data.id),
      [seen.at(-1).data.id + 1, seen.at(-1).data.id + 2],
    )
    const foreign = await messages(url, (all) => all.length >= 4, '0123456789ab-2')
    assert.equal(foreign[0].data.id, 1)
  })
})

test('a subscriber that stayed away too long is told how much it missed', async () => {
  await controlled(graphs.pushed, { serve: { keptEvents: 3 } }, async ({ server, ask }) => {
    for (let i = 0; i < 8; i++)
      await ask('POST', '/pipelines/pushed/records', { node: 'in', record: -1, waitMs: 10_000 })
    const url = `${server.url}/pipelines/pushed/watch?snapshots=false&after=0`
    const all = await messages(url, (found) => found.length >= 4)
    assert.equal(all[0].name, 'gap')
    assert.equal(all[0].data.missed + 3, all.at(-1).data.id)
  })
})

test('what a slow subscriber does not read is not kept for it', async () => {
  const response = new PassThrough()
  const log = new EventLog(10, false)
  const subscriber = new Subscriber(response as unknown as ServerResponse, log, 0)
  const text = message('snapshot', { filler: 'x'.repeat(10_000) })
  for (let i = 0; i < 1_000; i++) subscriber.send(text)
  assert.ok(response.writableLength + response.readableLength < 1_000_000)
  for (let i = 0; i < 1_000; i++) {
    log.add({ name: 'record.failed', pipeline: 'mill', time: 0, filler: 'x'.repeat(1_000) })
    subscriber.sendEvents()
  }
  let read = ''
  response.setEncoding('utf8').on('data', (part: string) => (read += part))
  await until('it has caught up', () => read.includes('"id":1000,'))
  assert.match(read, /event: gap\ndata: \{"missed":\d{3}/)
})

test('a subscriber that does not read is skipped ahead, while others get all', async () => {
  const kept = 20
  await controlled(graphs.wordy, { serve: { showRecords: true, keptEvents: kept } }, async ({ server, ask }) => {
    const url = `${server.url}/pipelines/wordy/watch?snapshots=false&after=0`
    const slow = connect(server.port, '127.0.0.1').pause()
    slow.write('GET /pipelines/wordy/watch?snapshots=false&after=0 HTTP/1.1\r\nhost: localhost\r\n\r\n')
    const failures = 240
    let seen = 0
    const reading = messages(url, (all) => (seen = all.length) >= failures)
    // More than any socket holds, at a pace that a subscriber can follow.
    for (let sent = 0; sent < failures; sent += kept / 2) {
      const push = () => ask('POST', '/pipelines/wordy/records', { node: 'in', record: sent, waitMs: 10_000 })
      await Promise.all(Array.from({ length: kept / 2 }, push))
      await until('the subscriber that reads has them', () => seen === sent + kept / 2)
    }
    const ids = (await reading).map(({ data }) => data.id)
    assert.deepEqual(
      ids,
      [...ids.keys()].map((i) => i + 1),
    )
    let told = ''
    slow.setEncoding('utf8').on('data', (text: string) => (told += text))
    slow.resume()
    await until('the slow one is told the last', () => told.includes(`"id":${failures},`))
    assert.match(told, /event: gap\ndata: \{"missed":\d+\}/)
    slow.destroy()
  })
})

test('no proxy keeps or changes what is told', async () => {
  await controlled(graphs.pushed, {}, async ({ server }) => {
    const response = await fetch(`${server.url}/pipelines/pushed/watch`)
    assert.equal(response.headers.get('x-accel-buffering'), 'no')
    assert.match(response.headers.get('cache-control')!, /no-cache.*no-transform/)
    await response.body!.cancel()
  })
})

test('a thousand idle subscribers are kept, and let go', async () => {
  await controlled(graphs.mill, {}, async ({ server, get, ask }) => {
    const sockets: Socket[] = []
    let opened = 0
    for (let i = 0; i < 1_000; i++) {
      const socket = connect(server.port, '127.0.0.1')
      socket.once('data', () => opened++)
      socket.write(`GET /pipelines/mill/watch?rateHz=0.05 HTTP/1.1\r\nhost: localhost\r\n\r\n`)
      sockets.push(socket)
      if (i % 100 === 99) await sleep(10)
    }
    await until('all are answered', () => opened === 1_000)
    const { stages } = await get('/pipelines/mill/stats')
    assert.ok(stages[0].totals.in > 0)
    assert.equal((await ask('POST', '/pipelines/mill/pause')).status, 200)
    const closed = Promise.all(sockets.map((socket) => once(socket, 'close')))
    await server.close()
    await closed
  })
})

test('more subscribers than allowed are refused', async () => {
  await controlled(graphs.mill, { serve: { maxSubscribers: 2 } }, async ({ server, ask }) => {
    const stop = new AbortController()
    const url = `${server.url}/pipelines/mill/watch`
    for (let i = 0; i < 2; i++) await fetch(url, { signal: stop.signal })
    const refused = await ask('GET', '/pipelines/mill/watch')
    assert.deepEqual([refused.status, refused.json.error.code], [503, 'SUBSCRIBERS_TOO_MANY'])
    stop.abort()
    await until('there is room again', async () => {
      const again = new AbortController()
      const { status } = await fetch(url, { signal: again.signal })
      again.abort()
      return status === 200
    })
  })
})

test('the client lists, reads, commands and watches', async () => {
  await controlled(graphs.mill, { serve: { token: 'abc' } }, async ({ server }) => {
    const client = new ControlClient(`${server.url}/`, { token: 'abc' })
    assert.deepEqual(
      (await client.pipelines()).map(({ name }) => name),
      ['mill'],
    )
    assert.equal((await client.read('mill', '/graph')).nodes.length, 6)
    assert.equal((await client.command('mill', 'pause')).isPaused, true)
    let snapshots = 0
    for await (const { name } of client.watch('mill', { rateHz: 10 }))
      if (name === 'snapshot' && ++snapshots === 3) break
    await assert.rejects(new ControlClient(server.url).pipelines(), { code: 'CONTROL_UNREACHABLE' })
    await assert.rejects(new ControlClient('http://127.0.0.1:9').pipelines(), { code: 'CONTROL_UNREACHABLE' })
  })
})
