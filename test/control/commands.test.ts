import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as graphs from './graphs.js'
import { controlled, until } from './harness.js'

const INJECTED = { run: { inject: true } }

test('a source, or all of them, are paused and resumed; twice is once', async () => {
  await controlled(graphs.mill, {}, async ({ ask, get, pipeline }) => {
    for (const path of ['/pipelines/mill', '/pipelines/mill/sources/sensors']) {
      for (let again = 0; again < 2; again++) {
        assert.deepEqual((await ask('POST', `${path}/pause`)).json, { state: 'running', isPaused: true })
      }
      await until('nothing is on its way', () => pipeline.snapshot().nodes['sensors']!.inFlight === 0)
      const made = pipeline.snapshot().nodes['sensors']!.in
      await sleep(50)
      assert.equal(pipeline.snapshot().nodes['sensors']!.in, made)
      assert.equal((await get('/pipelines/mill/stages/sensors')).isPaused, true)
      assert.equal((await ask('POST', `${path}/resume`)).json.isPaused, false)
      await until('records flow again', () => pipeline.snapshot().nodes['sensors']!.in > made)
    }
    assert.equal((await ask('POST', '/pipelines/mill/sources/parse/pause')).json.error.code, 'NODE_NOT_SOURCE')
    assert.equal((await ask('POST', '/pipelines/mill/sources/nowhere/pause')).json.error.code, 'NODE_UNKNOWN')
  })
})

test('a rate limit is changed, told, and given back', async () => {
  await controlled(graphs.mill, {}, async ({ ask, get }) => {
    const path = '/pipelines/mill/stages/sensors/rate-limit'
    assert.deepEqual((await ask('PUT', path, { perSecond: 50 })).json, { perSecond: 50 })
    assert.equal((await get('/pipelines/mill/stages/sensors')).rateLimit, 50)
    await until('the source is held', async () => {
      const { stages } = await get('/pipelines/mill/stats')
      return stages[0].windows['1s'].shares.limited > 0.5
    })
    assert.deepEqual((await ask('PUT', path, { perSecond: null })).json, { perSecond: null })
    assert.deepEqual((await ask('DELETE', path)).json, { perSecond: null })
    for (const perSecond of [0, -1, '5', undefined]) {
      assert.equal((await ask('PUT', path, { perSecond })).json.error.code, 'REQUEST_INVALID')
    }
  })
})

test('any stage has a rate limit, and a drain may lift it', async () => {
  await controlled(graphs.mill, {}, async ({ ask, get, pipeline }) => {
    assert.equal((await get('/pipelines/mill/stages/parse')).rateLimit, null)
    assert.deepEqual((await ask('PUT', '/pipelines/mill/stages/parse/rate-limit', { perSecond: 0.001 })).json, {
      perSecond: 0.001,
    })
    await until('the stage is held', async () => {
      const { bottleneck } = await get('/pipelines/mill/analysis')
      return bottleneck.node === 'parse' && bottleneck.cause === 'limited'
    })
    assert.equal(
      (await ask('PUT', '/pipelines/mill/stages/nowhere/rate-limit', { perSecond: 1 })).json.error.code,
      'NODE_UNKNOWN',
    )
    assert.equal((await ask('POST', '/pipelines/mill/drain', { limits: 'lift' })).status, 202)
    assert.equal((await pipeline.finished).outcome, 'drained')
  })
})

test('a rate limit is what was set, however slow, and shared by the workers of the source', async () => {
  await controlled(graphs.shared, {}, async ({ ask, get, pipeline }) => {
    const path = '/pipelines/shared/stages/in/rate-limit'
    for (const perSecond of [0.0004, 0.1, 100, 79.83, 1e12, 1e-300]) {
      assert.deepEqual((await ask('PUT', path, { perSecond })).json, { perSecond })
      assert.equal((await get('/pipelines/shared/stages/in')).rateLimit, perSecond)
    }
    // Each worker may make one at once; no other is due for years.
    await until('the source is held', async () => {
      const { stages } = await get('/pipelines/shared/stats')
      return stages[0].windows['1s'].shares.limited > 0.9
    })
    const made = pipeline.snapshot().nodes['in']!.in
    await until('a second has passed', async () => {
      const { stages, seconds } = await get('/pipelines/shared/stats')
      return seconds['1s'] > 0.9 && stages[0].windows['1s'].inPerSecond === 0
    })
    assert.equal(pipeline.snapshot().nodes['in']!.in, made)
    assert.deepEqual((await ask('DELETE', path)).json, { perSecond: null })
    await until('records flow again', () => pipeline.snapshot().nodes['in']!.in > made + 100)
  })
})

test('a pushed record is followed to its end; the same key goes in once', async () => {
  await controlled(graphs.pushed, {}, async ({ ask, get, pipeline }) => {
    const push = (body: object) => ask('POST', '/pipelines/pushed/records', { node: 'in', ...body })
    const good = await push({ record: 5, waitMs: 10_000 })
    assert.deepEqual([good.status, good.json.state], [202, 'acked'])
    const bad = await push({ record: -5, waitMs: 10_000 })
    assert.deepEqual([bad.json.state, bad.json.error.code], ['failed', 'RECORD_FAILED'])
    const keyed = await push({ record: 6, key: 'a/b', waitMs: 10_000 })
    const again = await push({ record: 6, key: 'a/b', waitMs: 10_000 })
    assert.deepEqual(again.json, keyed.json)
    for (const other of [{ record: 7 }, { record: '6' }, { record: 6, node: 'end' }]) {
      const { status, json } = await push({ key: 'a/b', waitMs: 10_000, ...other })
      assert.deepEqual([status, json.error.code], [409, 'KEY_REUSED'])
    }
    assert.equal(pipeline.snapshot().nodes['in']!.in, 3)
    assert.deepEqual(await get(`/pipelines/pushed/records/${encodeURIComponent(keyed.json.id)}`), keyed.json)
    assert.equal((await ask('GET', '/pipelines/pushed/records/none')).json.error.code, 'RECEIPT_UNKNOWN')
    assert.equal((await ask('PUT', '/pipelines/pushed/tracing', { rate: 1 })).json.error.code, 'TRACING_OFF')
    assert.equal((await push({ node: 'check', record: 1 })).json.error.code, 'INJECT_OFF')
    assert.equal((await push({ node: 'nowhere', record: 1 })).json.error.code, 'NODE_UNKNOWN')
  })
})

test('a key stands for its record whatever else is pushed, in whatever order the fields of the record stand', async () => {
  await controlled(graphs.pushed, {}, async ({ ask, pipeline }) => {
    const push = (body: object) => ask('POST', '/pipelines/pushed/records', { node: 'in', waitMs: 10_000, ...body })
    const first = await push({ record: { a: [1, { b: 2 }], c: 3 }, key: 'first' })
    for (let i = 0; i < 1_100; i += 100) await Promise.all(Array.from({ length: 100 }, () => push({ record: 1 })))
    const again = await push({ record: { c: 3, a: [1, { b: 2 }] }, key: 'first' })
    assert.deepEqual(again.json, first.json)
    assert.equal((await push({ record: { c: 3, a: [{ b: 2 }, 1] }, key: 'first' })).json.error.code, 'KEY_REUSED')
    assert.equal(pipeline.snapshot().nodes['in']!.in, 1_101)
  })
})

test('as many keys are remembered as the option says; a refused push takes none', async () => {
  await controlled(graphs.pushed, { serve: { keptKeys: 2 } }, async ({ ask, pipeline }) => {
    const push = (record: number, key: string) =>
      ask('POST', '/pipelines/pushed/records', { node: 'in', record, key, waitMs: 10_000 })
    for (const key of ['a', 'b', 'a', 'b', 'c', 'a']) assert.equal((await push(1, key)).json.state, 'acked')
    assert.equal(pipeline.snapshot().nodes['in']!.in, 4)
    assert.equal((await ask('POST', '/pipelines/pushed/records', { node: 'check', record: 1, key: 'd' })).status, 409)
    assert.equal((await push(2, 'd')).json.state, 'acked')
  })
})

test('more test records than may wait are refused; those that wait go in when they can', async () => {
  await controlled(graphs.pushed, {}, async ({ ask, get }) => {
    await ask('POST', '/pipelines/pushed/pause')
    const push = () => ask('POST', '/pipelines/pushed/records', { node: 'in', record: 1 })
    const first = await push()
    assert.equal(first.json.state, 'waiting')
    const answers = []
    for (let i = 0; i < 100; i++) answers.push(await push())
    assert.deepEqual([answers.at(-1)!.status, answers.at(-1)!.json.error.code], [429, 'RECORDS_WAITING'])
    await ask('POST', '/pipelines/pushed/resume')
    const path = `/pipelines/pushed/records/${first.json.id}`
    await until('it has gone through', async () => (await get(path)).state === 'acked')
  })
})

test('a deep or odd record harms nobody', async () => {
  await controlled(graphs.pushed, {}, async ({ ask }) => {
    const deep = `{"node":"in","waitMs":10000,"record":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    const answer = await ask('POST', '/pipelines/pushed/records', deep)
    assert.ok(answer.status < 500, answer.text.slice(0, 200))
    const proto = '{"node":"in","waitMs":10000,"record":{"__proto__":{"a":1},"constructor":2}}'
    assert.equal((await ask('POST', '/pipelines/pushed/records', proto)).json.state, 'acked')
    const after = await ask('POST', '/pipelines/pushed/records', { node: 'in', record: 1, waitMs: 10_000 })
    assert.equal(after.json.state, 'acked')
  })
})

test('a dead letter is looked at, tried once more, once, and forgotten', async () => {
  await controlled(graphs.pushed, { run: { inject: true }, serve: { showRecords: true } }, async ({ ask, get }) => {
    for (const record of [-1, -2, -3])
      await ask('POST', '/pipelines/pushed/records', { node: 'in', record, waitMs: 10_000 })
    const { total, deadLetters } = await until('they are told', async () => {
      const list = await get('/pipelines/pushed/dead-letters')
      return list.total === 3 && list
    })
    assert.equal(total, 3)
    assert.deepEqual(
      deadLetters.map(({ input }: any) => input),
      [-3, -2, -1],
    )
    const [newest, middle] = deadLetters
    assert.equal((await get(`/pipelines/pushed/dead-letters?limit=1&before=${newest.id}`)).deadLetters[0].id, middle.id)
    assert.equal((await get('/pipelines/pushed/dead-letters?node=end')).deadLetters.length, 0)
    const path = `/pipelines/pushed/dead-letters/${middle.id}`
    assert.deepEqual((await get(path)).error, { name: 'RangeError', message: 'negative: -2' })
    const replays = await Promise.all([ask('POST', `${path}/replay`), ask('POST', `${path}/replay`)])
    assert.equal(replays[0].json.id, replays[1].json.id)
    await until('it has failed again', async () => (await get('/pipelines/pushed/dead-letters')).total === 4)
    await until('its replay has ended', async () => (await get(path)).replay.state === 'failed')
    assert.deepEqual((await ask('DELETE', path)).json, { purged: 1 })
    assert.deepEqual((await ask('DELETE', path)).json, { purged: 0 })
    assert.equal((await ask('GET', path)).json.error.code, 'DEAD_LETTER_UNKNOWN')
    assert.deepEqual((await ask('DELETE', '/pipelines/pushed/dead-letters')).json, { purged: 3 })
  })
})

test('a replay is kept with its letter, whatever is pushed in between', async () => {
  await controlled(graphs.pushed, INJECTED, async ({ ask, get }) => {
    const push = (record: number) => ask('POST', '/pipelines/pushed/records', { node: 'in', record, waitMs: 10_000 })
    await push(-1)
    const path = '/pipelines/pushed/dead-letters/1'
    await until('it is told', async () => (await ask('GET', path)).status === 200)
    const first = (await ask('POST', `${path}/replay`)).json
    await until('it has ended', async () => (await get(path)).replay.state === 'failed')
    for (let i = 0; i < 1_100; i += 100) await Promise.all(Array.from({ length: 100 }, () => push(1)))
    assert.equal((await ask('POST', `${path}/replay`)).json.pushedAt, first.pushedAt)
    assert.equal((await get(`/pipelines/pushed/records/${first.id}`)).state, 'failed')
    assert.equal((await get('/pipelines/pushed/dead-letters')).total, 2)
    await ask('DELETE', path)
    assert.equal((await ask('GET', `/pipelines/pushed/records/${first.id}`)).json.error.code, 'RECEIPT_UNKNOWN')
  })
})

test('whatever a dead letter holds is listed, told as an event, and shown by itself', async () => {
  const options = { run: { inject: true }, serve: { showRecords: true } }
  await controlled(graphs.failing, options, async ({ ask, get, pipeline }) => {
    const cycle: Record<string, unknown> = { big: 2n ** 70n, none: undefined, nan: Number.NaN }
    let deep: unknown = 1
    for (let i = 0; i < 500; i++) deep = [deep]
    const records = [
      cycle,
      deep,
      new Map<unknown, unknown>([[1n, new Set([new Date(0), new Error('e')])]]),
      'x'.repeat(1_000_000),
      new Float64Array(100_000),
      undefined,
      JSON.parse('{"__proto__":{"toJSON":1}}'),
      Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i])),
    ]
    for (const record of records) {
      const receipt = await pipeline.push('in', record)
      await receipt.done.catch(() => undefined)
    }
    const { total, deadLetters } = await until('all are told', async () => {
      const list = await get('/pipelines/failing/dead-letters')
      return list.total === records.length && list
    })
    assert.equal(total, records.length)
    assert.deepEqual(deadLetters.at(-1).input, { big: `${2n ** 70n}n`, none: '[undefined]', nan: '[NaN]' })
    for (const { id, input } of deadLetters) {
      assert.ok(JSON.stringify(input).length < 6_000)
      const { text } = await ask('GET', `/pipelines/failing/dead-letters/${id}`)
      assert.ok(text.length < 300_000)
      assert.equal((await ask('POST', `/pipelines/failing/dead-letters/${id}/replay`)).status, 202)
    }
    const { events } = await get('/pipelines/failing/events')
    assert.ok(events.some(({ name }: any) => name === 'record.failed'))
  })
})

test('a dead letter whose record cannot be sent is listed without it, and cannot be replayed', async () => {
  await controlled(graphs.unsendable, INJECTED, async ({ ask, get }) => {
    const letter = await until('the record is given up', async () => {
      return (await get('/pipelines/unsendable/dead-letters')).deadLetters[0]
    })
    assert.equal(letter.error.code, 'RECORD_NOT_ENCODABLE')
    assert.ok(!('input' in letter))
    const { status, json } = await ask('POST', `/pipelines/unsendable/dead-letters/${letter.id}/replay`)
    assert.equal(status, 409)
    assert.equal(json.error.code, 'DEAD_LETTER_EMPTY')
  })
})

test('a flush answers when all that was sent before has ended', async () => {
  await controlled(graphs.mill, {}, async ({ ask, get, pipeline }) => {
    await ask('POST', '/pipelines/mill/pause')
    const { status, json } = await ask('POST', '/pipelines/mill/flush')
    assert.deepEqual([status, json.state], [200, 'running'])
    for (const [node, { inFlight }] of Object.entries(pipeline.snapshot().nodes)) assert.equal(inFlight, 0, node)
    assert.equal((await get('/pipelines/mill')).state, 'running')
    await pipeline.drain()
    assert.equal((await ask('POST', '/pipelines/mill/flush')).json.error.code, 'PIPELINE_NOT_RUNNING')
  })
})

test('a worker is restarted without a charge, killed with one; a life ends once', async () => {
  await controlled(graphs.mill, INJECTED, async ({ ask, get, pipeline }) => {
    const worker = async () => (await get('/pipelines/mill/stages/parse')).workers[1]
    const path = '/pipelines/mill/stages/parse/workers/1'
    const done = (await until('its thread is known', async () => {
      const { json } = await ask('POST', `${path}/restart`, { epoch: 0 })
      return json.done && json
    })) as object
    assert.deepEqual(done, { done: true, epoch: 0 })
    const second = await until('it lives again', async () => {
      const found = await worker()
      return found.epoch === 1 && found.state === 'running' && found
    })
    assert.equal(second.restarts[0].counts, false)
    assert.deepEqual((await ask('POST', `${path}/restart`, { epoch: 0 })).json, { done: false, epoch: 1 })
    assert.deepEqual((await ask('POST', `${path}/kill`, {})).json, { done: true, epoch: 1 })
    const third = await until('it lives again', async () => {
      const found = await worker()
      return found.epoch === 2 && found.state === 'running' && found
    })
    assert.deepEqual(
      third.restarts.map(({ epoch, counts }: any) => [epoch, counts]),
      [
        [0, false],
        [1, true],
      ],
    )
    const before = pipeline.snapshot().nodes['parse']!.in
    await until('records flow', () => pipeline.snapshot().nodes['parse']!.in > before + 100)
    assert.equal(
      (await ask('POST', '/pipelines/mill/stages/parse/workers/7/kill', {})).json.error.code,
      'WORKER_UNKNOWN',
    )
    assert.equal((await ask('POST', '/pipelines/mill/stages/size/workers/0/kill', {})).json.error.code, 'NODE_UNKNOWN')
    assert.equal(
      (await ask('POST', '/pipelines/mill/stages/parse/workers/x/kill', {})).json.error.code,
      'REQUEST_INVALID',
    )
  })
})

test('figures are answered and conserved while workers are killed', async () => {
  await controlled(graphs.mill, INJECTED, async ({ ask, get, pipeline }) => {
    for (let kills = 0; kills < 4; kills++) {
      await until('a thread to kill', async () => {
        const { json } = await ask('POST', `/pipelines/mill/stages/parse/workers/${kills % 2}/kill`, {})
        return json.done === true
      })
      const paths = ['stats', 'stages', 'lanes', 'analysis', 'histograms', 'stages/parse/histograms/service']
      await Promise.all(paths.map((path) => get(`/pipelines/mill/${path}`)))
      assert.equal((await ask('GET', '/metrics')).status, 200)
    }
    const { json } = await ask('POST', '/pipelines/mill/drain', {})
    assert.equal(json.state, 'draining')
    assert.equal((await ask('POST', '/pipelines/mill/drain', {})).status, 202)
    const report = await pipeline.finished
    assert.equal(report.outcome, 'drained')
    assert.equal(report.abandoned, 0)
    const { ledger } = await get('/pipelines/mill/analysis')
    assert.ok(ledger.holds, JSON.stringify(ledger.entries))
    assert.equal((await get('/pipelines/mill')).state, 'drained')
  })
})

test('commands and events are logged from a level that can be changed', async () => {
  const lines: { level: string; text: string; command?: string; status?: number }[] = []
  const write = (level: string) => (fields: object, text: string) => void lines.push({ level, text, ...fields })
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, write(level)])
  const logger: any = { ...Object.fromEntries(levels), level: 'info', child: () => logger }
  await controlled(graphs.pushed, { serve: { logger } }, async ({ ask, get }) => {
    await ask('POST', '/pipelines/pushed/pause')
    assert.ok(lines.some(({ text, command }) => text === 'command' && command === 'POST /pipelines/:pipeline/pause'))
    await ask('POST', '/pipelines/pushed/sources/check/pause')
    await until('a refused command is logged', () =>
      lines.some(({ level, status }) => level === 'warn' && status === 409),
    )
    assert.deepEqual((await ask('PUT', '/log-level', { level: 'error' })).json, { level: 'error' })
    assert.deepEqual(await get('/log-level'), { level: 'error' })
    lines.length = 0
    await ask('POST', '/pipelines/pushed/resume')
    await ask('POST', '/pipelines/pushed/records', { node: 'in', record: -1, waitMs: 10_000 })
    assert.deepEqual(lines, [])
    await ask('PUT', '/log-level', { level: 'debug' })
    await ask('POST', '/pipelines/pushed/records', { node: 'in', record: -1, waitMs: 10_000 })
    await until('the failure is logged', () =>
      lines.some(({ level, text }) => level === 'warn' && text === 'record.failed'),
    )
  })
})
