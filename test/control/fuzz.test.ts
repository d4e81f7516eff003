import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import { run } from 'millrace'
import * as graphs from './graphs.js'
import { served } from './harness.js'

const REQUESTS = 20_000
const AT_ONCE = 32

/** Numbers from a seed, so that a failure can be had again. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/** Values that are none of what anybody expects. */
const ODD: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  -1e308,
  2 ** 53,
  '',
  ' ',
  'x'.repeat(3_000),
  '\u0000',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  '%00',
  '💥',
  [],
  {},
  [[[]]],
  { a: { b: 1 } },
  '1',
  'NaN',
  '-0',
  '1e3',
  'true',
  "' or 1=1",
  '<script>',
]

const ends = (path: string): boolean => /\/(?:drain|stop)$/.test(path)
const isDear = (path: string): boolean => /svg$|\/kill$|\/restart$/.test(path)

/** What a schema describes, or, now and then, something else. */
function valueOf(schema: any, random: (below: number) => number): unknown {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!
  if (random(5) === 0) return pick(ODD)
  if (schema.anyOf !== undefined) return valueOf(pick(schema.anyOf), random)
  if (schema.enum !== undefined) return pick(schema.enum)
  switch (schema.type) {
    case 'integer':
      return (schema.minimum ?? 0) + random(12)
    case 'number':
      return (schema.minimum ?? 0) + random(1_000) / 10
    case 'boolean':
      return random(2) === 0
    case 'string':
      return pick(['check', 'parse', 'in', 'sensors', 'a', '1', ...(schema.examples ?? [])])
    case 'null':
      return null
    case 'object': {
      const given = Object.entries(schema.properties ?? {}).filter(
        ([name]) => schema.required?.includes(name) === true || random(2) === 0,
      )
      const extra = random(10) === 0 ? [['__proto__', pick(ODD)] as const] : []
      return Object.fromEntries([...given.map(([name, each]) => [name, valueOf(each, random)] as const), ...extra])
    }
    default:
      return random(2) === 0 ? pick(ODD) : random(100)
  }
}

test(`${REQUESTS} requests made from the OpenAPI document meet no 500, and the pipelines go on`, async (context) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  context.diagnostic(`seed ${seed}`)
  const random = randomOf(seed)
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!
  const many = { inject: true, restart: { maxRestarts: 100_000 } } as const
  const [mill, pushed, gone] = [
    await run(graphs.mill, many),
    await run(graphs.pushed, many),
    await run(graphs.pushed, many),
  ]
  await served({ mill, pushed, gone }, { actsPerSecond: 10_000, maxBodyBytes: 4_096 }, async ({ server, get }) => {
    const { paths } = await get('/openapi.json')
    const operations = Object.entries<any>(paths).flatMap(([path, methods]) =>
      Object.entries<any>(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    )
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
    const statuses = new Map<number, number>()
    const met = new Set<string>()

    const target = (path: string, { parameters }: any): string => {
      const names: Record<string, () => string> = {
        // Only one of them may be ended, or there is nothing left to ask.
        pipeline: () => (ends(path) ? 'gone' : pick(['mill', 'pushed', 'gone', 'gone?', '..', 'nope'])),
        node: () => pick(['parse', 'check', 'sensors', 'in', 'store', 'end', 'size', 'queue', 'none']),
        worker: () => pick(['0', '1', '2', '-1', 'x']),
        kind: () => pick(['service', 'lane', 'batch', 'ack', 'endToEnd', 'none']),
        id: () => pick(['1', '2', '3', '0', '99', 'key-a', 'x']),
      }
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(random(12) === 0 ? String(pick(ODD)).slice(0, 200) : names[name]!()),
      )
      const query = (parameters as any[])
        .filter((parameter) => parameter.in === 'query' && random(2) === 0)
        .map(({ name, schema }) => `${name}=${encodeURIComponent(String(valueOf(schema, random)))}`)
      if (random(20) === 0) query.push(`${encodeURIComponent(String(pick(ODD)).slice(0, 50))}=1`)
      return filled + (query.length === 0 ? '' : `?${query.join('&')}`)
    }

    const bodyOf = (path: string, { requestBody }: any): string | undefined => {
      const schema = requestBody?.content['application/json'].schema
      if (schema === undefined) return random(10) === 0 ? JSON.stringify(pick(ODD)) : undefined
      // Threads that are really ended take a while to come back; most of these name a life that is long over.
      if (isDear(path) && random(60) !== 0) return JSON.stringify({ epoch: 1_000_000 })
      const body = valueOf(schema, random)
      if (typeof body === 'object' && body !== null && 'waitMs' in body) Object.assign(body, { waitMs: random(5) })
      const text = JSON.stringify(body)
      return random(15) === 0 ? text.slice(0, random(text.length + 1)) : text
    }

    const send = (method: string, path: string, body: string | undefined): Promise<{ status: number; text: string }> =>
      new Promise((resolve, reject) => {
        const type = random(30) === 0 ? 'text/plain' : 'application/json'
        const headers = body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }
        const sent = request(server.url + path, { method, headers, agent }, (response) => {
          let text = ''
          const done = (): void => resolve({ status: response.statusCode!, text })
          if (response.headers['content-type'] === 'text/event-stream') {
            response.destroy()
            return done()
          }
          response.setEncoding('utf8').on('data', (part: string) => (text += part))
          response.on('end', done)
        })
        sent.on('error', reject)
        sent.end(body)
      })

    let left = REQUESTS
    const client = async (): Promise<void> => {
      while (left-- > 0) {
        let { path, method, operation } = pick(operations)
        while (path.endsWith('svg') && random(60) !== 0) ({ path, method, operation } = pick(operations))
        const verb = random(40) === 0 ? pick(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) : method
        const asked = target(path, operation)
        const { status, text } = await send(
          verb,
          asked,
          verb === 'GET' || verb === 'HEAD' ? undefined : bodyOf(path, operation),
        )
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        assert.ok(status !== 500, `seed ${seed}: ${verb} ${asked}: ${text.slice(0, 300)}`)
        if (status >= 400 && verb !== 'HEAD' && !/^\/(?:health|ready)/.test(asked)) {
          const { error } = JSON.parse(text)
          assert.ok(typeof error.code === 'string' && typeof error.message === 'string', text)
          met.add(error.code)
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, client))
    agent.destroy()
    context.diagnostic(
      [...statuses]
        .sort()
        .map(([status, count]) => `${status}: ${count}`)
        .join(', '),
    )
    context.diagnostic([...met].sort().join(' '))
    assert.ok((statuses.get(200) ?? 0) > REQUESTS / 10)
    for (const code of ['REQUEST_INVALID', 'PIPELINE_UNKNOWN', 'NODE_UNKNOWN', 'BODY_NOT_JSON'])
      assert.ok(met.has(code), code)
    assert.deepEqual([mill.state, pushed.state], ['running', 'running'])
    pushed.resume()
    const receipt = await pushed.push('in', 1)
    await receipt.done
    const { ledger } = await get('/pipelines/mill/analysis')
    assert.ok(ledger.holds, JSON.stringify(ledger.entries))
  })
  await Promise.all([mill.stop(), pushed.stop(), gone.stop()])
})
