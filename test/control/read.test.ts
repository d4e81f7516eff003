import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { decodeFromCompressedBase64 } from 'hdr-histogram-js'
import { run } from 'millrace'
import * as graphs from './graphs.js'
import { controlled, served, until } from './harness.js'

const SHOWN = { run: { inject: true }, serve: { showRecords: true } }

test('every answer is as the OpenAPI document says, and so is every example in it', async () => {
  const traced = { ...SHOWN, run: { ...SHOWN.run, trace: { rate: 0.02 } } }
  await controlled(graphs.mill, traced, async ({ get, ask }) => {
    await until('a record fails', async () => (await get('/pipelines/mill/dead-letters')).total > 0)
    const document = await get('/openapi.json')
    const ajv = new Ajv2020({ strict: false, schemas: [{ $id: '/document', ...document }] })
    const fill: Record<string, string> = { pipeline: 'mill', node: 'parse', kind: 'service', worker: '0' }
    const { deadLetters } = await get('/pipelines/mill/dead-letters')
    const { trace } = (await get('/pipelines/mill/traces')).traces[0]
    const { event } = (await get(`/pipelines/mill/traces/${trace}`)).spans[0]
    Object.assign(fill, { trace, record: `${event.made.base}:${event.made.first}` })
    const pushed = await ask('POST', '/pipelines/mill/records', {
      node: 'parse',
      record: { id: 1, secret: '' },
      waitMs: 9_000,
    })
    assert.equal(pushed.json.state, 'acked')
    for (const [path, methods] of Object.entries<any>(document.paths)) {
      const id = path.includes('dead-letters') ? deadLetters[0].id : pushed.json.id
      const asked = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'id' ? String(id) : fill[name]!))
      for (const [method, operation] of Object.entries<any>(methods)) {
        for (const [status, { content }] of Object.entries<any>(operation.responses)) {
          const { schema, example, examples } = content['application/json'] ?? {}
          if (schema === undefined) continue
          const isFile = path === '/openapi.json'
          assert.ok(
            isFile || example !== undefined || examples !== undefined,
            `an example of ${method} ${path} ${status}`,
          )
          const resolved = schema.$ref === undefined ? schema : document.components.schemas.Error
          const isValid = ajv.compile(resolved)
          const given = [example, ...Object.values<any>(examples ?? {}).map(({ value }) => value)]
          for (const each of given.filter((value) => value !== undefined)) {
            assert.ok(isValid(each), `example of ${method} ${path} ${status}: ${ajv.errorsText(isValid.errors)}`)
          }
          if (method !== 'get' || status !== '200') continue
          const answer = await get(asked)
          assert.ok(
            isValid(answer),
            `${asked}: ${ajv.errorsText(isValid.errors)} ${JSON.stringify(answer).slice(0, 500)}`,
          )
        }
      }
    }
  })
})

const namesOf = (list: any[]): string[] => list.map(({ name }) => name)
const ratesOf = (list: any[]): string[] => list.flatMap(({ rate }) => rate ?? [])

function has(found: object, fields: readonly string[]): void {
  for (const field of fields) assert.equal(typeof (found as Record<string, unknown>)[field], 'number', field)
}

test('a figure has one name in every answer: a count is a total, and its rate is named after it', async () => {
  await controlled(graphs.mill, SHOWN, async ({ ask, get, pipeline }) => {
    const { nodes, edges, times, histograms } = await get('/figures')
    for (const { name, rate, kind } of [...nodes, ...edges])
      assert.equal(rate, kind === 'counter' ? `${name}PerSecond` : undefined)
    const snapshot = pipeline.snapshot()
    has(snapshot.nodes['size']!, namesOf(nodes))
    has(snapshot.stages['parse']!, [...namesOf(nodes), ...namesOf(times)])
    has(snapshot.edges[0]!, namesOf(edges))
    const stats = await get('/pipelines/mill/stats')
    for (const { totals, windows } of stats.stages) {
      has(totals, namesOf(nodes))
      has(windows['1s'], ratesOf(nodes))
      has(windows['1s'].shares, namesOf(times))
    }
    for (const edge of stats.edges) {
      has(edge, namesOf(edges))
      has(edge.windows['10s'], ratesOf(edges))
    }
    const text = (await ask('GET', '/metrics')).text
    for (const { metric } of [...nodes, ...edges].filter((figure) => figure.metric !== undefined))
      assert.match(text, new RegExp(`^${metric}\\{`, 'm'))
    for (const { metric } of histograms) assert.match(text, new RegExp(`^${metric}_count\\{`, 'm'))
    const found = (await get('/pipelines/mill/histograms')).histograms.map(({ kind }: any) => kind)
    assert.deepEqual(new Set(found), new Set(histograms.map(({ kind }: any) => kind)))
  })
})

test('figures are those of the pipeline: totals, rates, shares, lanes', async () => {
  await controlled(graphs.mill, SHOWN, async ({ get, pipeline }) => {
    const stats = await until('a second of rates', async () => {
      const found = await get('/pipelines/mill/stats')
      return found.seconds['1s'] > 0.9 && found
    })
    const parse = stats.stages.find(({ node }: { node: string }) => node === 'parse')
    assert.ok(parse.totals.in > 0 && parse.totals.in <= pipeline.snapshot().nodes['parse']!.in)
    assert.ok(parse.windows['1s'].inPerSecond > 0)
    assert.equal(parse.workers.length, 2)
    const { busy, starved } = parse.windows['1s'].shares
    assert.ok(busy + starved > 0.3, `a worker is busy or starved most of the time: ${busy} ${starved}`)
    const edge = stats.edges.find(({ from }: { from: string }) => from === 'sensors')
    assert.ok(edge.windows['1s'].recordsPerSecond > 0 && edge.bytes > 0)
    const { lanes } = await get('/pipelines/mill/lanes')
    assert.equal(lanes.filter(({ from }: any) => from.node === 'sensors').length, 2)
    for (const { credit, capacity, fill } of lanes) assert.ok(credit <= capacity && fill <= 1)
    const { ledger } = await get('/pipelines/mill/analysis')
    assert.ok(ledger.holds, JSON.stringify(ledger.entries))
  })
})

test('a histogram is the same for other HDR tools, whole and over a window', async () => {
  await controlled(graphs.mill, SHOWN, async ({ get, pipeline }) => {
    const path = '/pipelines/mill/stages/parse/histograms/service?window=1&hdr=true'
    const answer = await until('values in the window', async () => {
      const found = await get(path)
      return found.window.figures.count > 100 && found
    })
    assert.equal(answer.unit, 'ns')
    for (const { figures, hdr, points } of [answer.total, answer.window]) {
      const decoded = decodeFromCompressedBase64(hdr)
      assert.equal(decoded.totalCount, figures.count)
      assert.equal(decoded.getValueAtPercentile(99), figures.p99 === figures.max ? decoded.maxValue : figures.p99)
      assert.equal(points.at(-1).count, figures.count)
      assert.equal(points.at(-1).share, 1)
      assert.ok(points.every(({ value }: any, i: number) => i === 0 || value >= points[i - 1].value))
    }
    assert.ok(answer.window.figures.count <= answer.total.figures.count)
    assert.ok(pipeline.histogram('parse', 'service')!.total >= answer.total.figures.count)
  })
})

test('the bottleneck is named in one sentence, with who waits for it and what would help', async () => {
  await controlled(graphs.narrow, {}, async ({ get }) => {
    const { bottleneck } = await until('the slow stage is found', async () => {
      const found = await get('/pipelines/narrow/analysis')
      const { node, cause, because } = found.bottleneck
      return node === 'slow' && cause === 'full' && because.length > 0 && found
    })
    assert.match(
      bottleneck.sentence,
      /`slow` is busy \d+ % of the time; `fast` waits for (?:it|acks) \d+ % of the time/,
    )
    assert.match(bottleneck.remedy, /workers|faster/)
  })
})

test('the stages whose workers follow their load are told, and how many workers would lift the limit', async () => {
  await controlled(graphs.elastic, {}, async ({ get, ask }) => {
    const { stages } = await get('/pipelines/elastic/scaling')
    const text = 'nothing was measured yet'
    assert.deepEqual(stages, [{ node: 'slow', min: 1, max: 2, target: 0.7, workers: 1, reason: 'unknown', text }])
    const { resizeTo, node } = await until('more workers are proposed', async () => {
      const { bottleneck } = await get('/pipelines/elastic/analysis')
      return bottleneck.resizeTo !== undefined && bottleneck
    })
    assert.deepEqual([node, resizeTo], ['slow', 2])
    assert.equal((await ask('POST', '/pipelines/elastic/stages/slow/resize', { workers: resizeTo })).status, 200)
    assert.equal((await get('/pipelines/elastic/scaling')).stages[0].workers, 2)
    assert.equal((await get('/pipelines/elastic/analysis')).bottleneck.resizeTo, undefined)
  })
  await controlled(graphs.narrow, {}, async ({ get }) => {
    assert.deepEqual(await get('/pipelines/narrow/scaling'), { stages: [] })
  })
})

test('what other numbers of workers would bring is predicted, and what a faster stage would bring is measured', async () => {
  await controlled(graphs.elastic, {}, async ({ get, ask, pipeline }) => {
    await until('the slow stage holds the source', () => pipeline.snapshot().stages['fast']!.blocked > 0.3)
    const what = (stages: unknown) => ask('POST', '/pipelines/elastic/what-if', { stages })
    const { json } = await what([{ node: 'slow', workers: 2 }])
    assert.ok(json.throughput.factor > 1.5 && json.throughput.factor < 2.01, JSON.stringify(json.throughput))
    assert.equal(json.bottleneck.before, 'slow')
    assert.equal((await what([{ node: 'nobody', workers: 2 }])).json.error.code, 'NODE_UNKNOWN')
    for (const bad of [[], [{ node: 'slow' }], [{ node: 'slow', workers: 0 }], 2])
      assert.equal((await what(bad)).json.error.code, 'REQUEST_INVALID')
    const probe = (node: string, body: object) => ask('POST', `/pipelines/elastic/stages/${node}/probe`, body)
    assert.equal((await probe('nobody', {})).json.error.code, 'NODE_UNKNOWN')
    assert.equal((await probe('slow', { speedup: 2 })).json.error.code, 'REQUEST_INVALID')
    assert.equal((await probe('slow', { seconds: 1 })).status, 202)
    assert.equal((await probe('slow', {})).json.error.code, 'PROBE_REFUSED')
    const { fields } = await until('the probe is over', async () => {
      const { events } = await get('/pipelines/elastic/events')
      return events.find(({ name }: { name: string }) => name === 'stage.probed')
    })
    assert.deepEqual([fields.node, fields.speedup], ['slow', 0.2])
    assert.ok(fields.after > 0 && fields.before > 0)
  })
})

test('a source that was paused is said to be, and not to be at its rate limit', async () => {
  await controlled(graphs.mill, {}, async ({ pipeline, get }) => {
    pipeline.pause('sensors')
    const { bottleneck } = await until('the pause is most of the window', async () => {
      const found = await get('/pipelines/mill/analysis')
      return found.bottleneck.cause === 'limited' && found
    })
    assert.equal(bottleneck.sentence, '`sensors` is paused')
    assert.equal(bottleneck.remedy, 'Resume it.')
  })
})

test('the graph is drawn in every format, live colours on request', async () => {
  await controlled(graphs.mill, {}, async ({ ask, get }) => {
    assert.equal((await get('/pipelines/mill/graph')).nodes.length, 6)
    const dot = await ask('GET', '/pipelines/mill/graph.dot?live=true&theme=dark&direction=TB')
    assert.match(dot.headers.get('content-type')!, /graphviz/)
    assert.match(dot.text, /digraph[^]*busy/)
    assert.match((await ask('GET', '/pipelines/mill/graph.mermaid')).text, /flowchart|graph/)
    const svg = await ask('GET', '/pipelines/mill/graph.svg?live=true')
    assert.match(svg.headers.get('content-type')!, /image\/svg/)
    assert.match(svg.text, /<svg/)
    assert.equal((await ask('GET', '/pipelines/mill/graph.svg?theme=none')).json.error.code, 'REQUEST_INVALID')
  })
})

/** All that the API says of a pipeline: answers, the stream, and the log. */
const everything = async (showRecords: boolean): Promise<string> => {
  const logged: unknown[] = []
  const write = (...args: unknown[]) => void logged.push(args)
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, write])
  const logger: any = { ...Object.fromEntries(levels), level: 'info', child: () => logger }
  let all = ''
  const serve = { showRecords, logger }
  await controlled(graphs.mill, { run: { inject: true }, serve }, async ({ get, ask, server }) => {
    await ask('PUT', '/log-level', { level: 'debug' })
    const { deadLetters } = await until('a record fails', async () => {
      const found = await get('/pipelines/mill/dead-letters')
      return found.total > 0 && found
    })
    const bad = { node: 'parse', record: { id: 13, secret: 'secret-pushed' }, waitMs: 9_000 }
    const { id } = (await ask('POST', '/pipelines/mill/records', bad)).json
    all += (await ask('POST', `/pipelines/mill/dead-letters/${deadLetters[0].id}/replay`)).text
    await until('its failure is logged', () => JSON.stringify(logged).includes('record.failed'))
    const { paths } = await get('/openapi.json')
    const fill: Record<string, string> = { pipeline: 'mill', node: 'parse', kind: 'service' }
    for (const path of Object.keys(paths).filter((each) => !each.endsWith('watch'))) {
      const own = path.includes('dead-letters') ? deadLetters[0].id : id
      all += (
        await ask(
          'GET',
          path.replaceAll(/\{(\w+)\}/g, (_, name: string) => fill[name] ?? own),
        )
      ).text
    }
    const stop = new AbortController()
    const stream = await fetch(`${server.url}/pipelines/mill/watch?after=0`, { signal: stop.signal })
    let told = ''
    for await (const text of stream.body!.pipeThrough(new TextDecoderStream()))
      if (/event: event[^]*event: snapshot/.test((told += text))) break
    stop.abort()
    all += told
  })
  return all + JSON.stringify(logged, (_, value: unknown) => (value instanceof Error ? value.message : value))
}

test('what records hold is told nowhere unless it is asked for', async () => {
  assert.doesNotMatch(await everything(false), /secret-/)
  const shown = await everything(true)
  assert.match(shown, /no good: secret-13/)
  assert.match(shown, /secret-pushed/)
})

test('pipelines that start, fail to start, fail or have ended say so, and their figures stay', async () => {
  const doomed = await run(graphs.doomed)
  await assert.rejects(doomed.finished)
  const starting = run(graphs.late)
  const unstartable = run(graphs.unstartable)
  unstartable.catch(() => undefined)
  const ended = await run(graphs.pushed)
  await ended.drain()
  await served({ doomed, starting, unstartable, ended }, {}, async ({ ask, get }) => {
    await until('the start has failed', async () => (await get('/pipelines/unstartable')).state === 'failed')
    const { pipelines } = await get('/pipelines')
    assert.deepEqual(
      pipelines.map(({ name, state }: any) => [name, state]),
      [
        ['doomed', 'failed'],
        ['starting', 'starting'],
        ['unstartable', 'failed'],
        ['ended', 'drained'],
      ],
    )
    const early = await ask('GET', '/pipelines/starting/stats')
    assert.deepEqual(
      [early.status, early.json.error.code, early.headers.get('retry-after')],
      [503, 'PIPELINE_STARTING', '1'],
    )
    assert.equal((await ask('POST', '/pipelines/starting/pause')).status, 503)
    assert.equal((await ask('GET', '/pipelines/unstartable/stats')).json.error.code, 'START_FAILED')
    assert.equal((await ask('GET', '/health')).status, 503)
    assert.equal((await ask('GET', '/ready')).status, 503)
    for (const name of ['doomed', 'ended']) {
      assert.ok((await get(`/pipelines/${name}/stats`)).stages.length > 0)
      await get(`/pipelines/${name}/analysis`)
      assert.equal((await ask('POST', `/pipelines/${name}/pause`)).json.error.code, 'PIPELINE_NOT_RUNNING')
      assert.equal((await ask('POST', `/pipelines/${name}/drain`, {})).status, 202)
      assert.equal((await ask('POST', `/pipelines/${name}/stop`, {})).status, 202)
    }
    assert.equal((await get('/pipelines/doomed/stages')).stages[1].workers[0].restarts.length, 1)
    const started = await starting
    await started.finished
    assert.equal((await get('/pipelines/starting')).state, 'finished')
  })
})
