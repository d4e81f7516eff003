import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Metrics } from '#src/telemetry/prometheus.js'
import * as graphs from './graphs.js'
import { controlled, until } from './harness.js'

const HAS_PROMTOOL = spawnSync('promtool', ['--version']).status === 0

async function scraped(act: (text: string) => void): Promise<void> {
  await controlled(graphs.mill, {}, async ({ ask, get }) => {
    await until('records are stored', async () => (await get('/pipelines/mill/stats')).stages[2].totals.done > 100)
    const answer = await ask('GET', '/metrics')
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    act(answer.text)
  })
}

test(
  'promtool finds nothing to complain of',
  { skip: HAS_PROMTOOL ? false : 'no promtool (Debian: prometheus)' },
  async () => {
    await scraped((text) => {
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
      assert.equal(`${stdout}${stderr}`, '')
      assert.equal(status, 0)
    })
  },
)

test('every family has help and type before its samples, names that end in their unit, and rising buckets', async () => {
  await scraped((text) => {
    const types = new Map<string, string>()
    let family = ''
    const samples = new Map<string, [labels: string, value: number][]>()
    for (const line of text.trimEnd().split('\n')) {
      const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
      if (kind === 'HELP') {
        assert.ok(!types.has(name!), `${name} is one block`)
        family = name!
      } else if (kind === 'TYPE') {
        assert.equal(name, family)
        types.set(name!, rest!)
      } else {
        const [, sample, labels = '', value] = /^([a-z_]+)(\{.*\})? (\S+)$/.exec(line)!
        assert.ok(sample!.startsWith(family), line)
        assert.ok(Number.isFinite(Number(value)), line)
        samples.set(sample!, [...(samples.get(sample!) ?? []), [labels, Number(value)]])
      }
    }
    for (const [name, type] of types) {
      assert.match(name, /^millrace_[a-z_]+$/)
      assert.equal(name.endsWith('_total'), type === 'counter', name)
      if (type !== 'histogram') continue
      for (const [labels, count] of samples.get(`${name}_count`)!) {
        const own = labels.slice(1, -1)
        const buckets = samples.get(`${name}_bucket`)!.filter(([each]) => each.startsWith(`{${own},le=`))
        buckets.reduce((before, [, value]) => (assert.ok(value >= before), value), 0)
        assert.equal(buckets.at(-1)![0], `{${own},le="+Inf"}`)
        assert.equal(buckets.at(-1)![1], count)
      }
    }
    assert.ok(samples.get('millrace_node_records_in_total')!.some(([, value]) => value > 100))
  })
})

test('labels and help keep their quotes, backslashes and line ends', () => {
  const metrics = new Metrics()
  metrics.gauge('a', 'first\nsecond \\', { node: 'say "hi"\\\n' }, 1)
  assert.equal(metrics.toString(), '# HELP a first\\nsecond \\\\\n# TYPE a gauge\na{node="say \\"hi\\"\\\\\\n"} 1\n')
})

test('the OpenAPI document is one', async () => {
  for (const serve of [{}, { token: 'abc' }]) {
    await controlled(graphs.pushed, { serve }, async ({ get }) => {
      const document = await get('/openapi.json')
      const validator = new Validator()
      const { valid, errors } = await validator.validate(document)
      assert.ok(valid, JSON.stringify(errors ?? []).slice(0, 1_000))
      assert.equal(validator.version, '3.1')
      const operations = Object.values<any>(document.paths).flatMap((methods) => Object.values<any>(methods))
      assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length)
      for (const { summary, responses } of operations)
        assert.ok(summary.endsWith('.') && Object.keys(responses).length > 0)
    })
  }
})
