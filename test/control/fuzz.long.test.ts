import assert from 'node:assert/strict'
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { test } from 'node:test'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { run } from 'millrace'
import { STATUSES } from '#src/control/errors.js'
import { type Made, operationsOf, randomOf, requestOf, type World } from './fuzz-requests.js'
import * as graphs from './graphs.js'
import { type Asked, served } from './harness.js'

/** What these pipelines do not have: nothing is traced or imported, none of their stages can be resized, and their sources hardly ever wait. */
const REFUSALS = ['TRACING_OFF', 'RESIZE_REFUSED', 'PROBE_REFUSED', 'IMPORT_UNKNOWN']
const REQUESTS = 10_000
const AT_ONCE = 32
/** Pictures take a while to draw. */
const PICTURES_ONE_IN = 60
/** So many complaints tell enough. */
const ENOUGH = 20
/** Letters and receipts that are kept in mind, of each pipeline. */
const MOST_KNOWN = 200

interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

function send(url: string, { method, path, headers, body }: Made, agent: Agent): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const sent = request(url + path, { method, headers: { ...headers, ...length }, agent }, (response) => {
      let text = ''
      const done = (): void => resolve({ status: response.statusCode!, headers: response.headers, text })
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
}

/** A pipeline that has ended is not ready, and that is an answer, not a failure. */
const isNotReady = ({ path }: Made['operation'], status: number): boolean =>
  status === 503 && (path === '/health' || path === '/ready')

/** What an answer is that the contract does not allow. */
function complaint(
  made: Made,
  answer: Answered,
  schemaOf: (made: Made, status: number) => ValidateFunction | undefined,
): string | undefined {
  const { operation, method, odd } = made
  const { status, headers, text } = answer
  if (headers['content-security-policy'] === undefined) return 'no security headers'
  const isAnswer = status < 400 || isNotReady(operation, status)
  if (status >= 500 && !isAnswer) return 'a fault of the server'
  const mayBeAnything = odd.has('address') || odd.has('method') || odd.has('headers')
  if (!mayBeAnything && !operation.answers.has(status) && !isAnswer) return 'not among the documented answers'
  if (method === 'HEAD') return text === '' ? undefined : 'a body that was not asked for'
  if (!isAnswer) {
    if (!headers['content-type']?.startsWith('application/json')) return 'a failure that is not in JSON'
    const { code, message, fix } = JSON.parse(text).error
    if (typeof message !== 'string' || typeof fix !== 'string') return 'a failure without a text or a way out'
    if (STATUSES[code as keyof typeof STATUSES] !== status && status !== 417) return 'a code that has another status'
    if (status === 405 && headers.allow === undefined) return 'no word on the methods that are allowed'
    return undefined
  }
  const schema = mayBeAnything ? undefined : schemaOf(made, isNotReady(operation, status) ? 200 : status)
  if (schema === undefined || schema(JSON.parse(text))) return undefined
  return `not as documented: ${JSON.stringify(schema.errors?.slice(0, 3))}`
}

async function worldOf(get: Asked['get'], pipeline: string): Promise<World> {
  const { nodes } = await get(`/pipelines/${pipeline}/graph`)
  const { deadLetters } = await get(`/pipelines/${pipeline}/dead-letters`)
  return {
    nodes: nodes.map(({ id, kind, concurrency = 1 }: any) => ({ id, kind, workers: concurrency })),
    letters: deadLetters.map(({ id }: any) => id),
    receipts: [],
  }
}

/** Letters and receipts that answers tell of are asked for later. */
function learn(worlds: ReadonlyMap<string, World>, { operation, path }: Made, { status, text }: Answered): void {
  const world = worlds.get(path.split('/')[2] ?? '')
  if (world === undefined || status >= 300) return
  if (operation.method === 'POST' && operation.path.endsWith('/records')) world.receipts.push(JSON.parse(text).id)
  if (operation.method === 'GET' && operation.path.endsWith('/dead-letters'))
    world.letters.push(
      ...JSON.parse(text)
        .deadLetters.slice(0, 5)
        .map(({ id }: any) => id),
    )
  world.receipts.splice(0, world.receipts.length - MOST_KNOWN)
  world.letters.splice(0, world.letters.length - MOST_KNOWN)
}

test(`${REQUESTS} requests made from the OpenAPI document are done or refused as it says, and the pipelines go on`, async (context) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  context.diagnostic(`seed ${seed}`)
  const random = randomOf(seed)
  const many = { inject: true, restart: { maxRestarts: 100_000 } } as const
  const [mill, pushed, gone] = [
    await run(graphs.mill, many),
    await run(graphs.pushed, many),
    await run(graphs.pushed, many),
  ]
  const isOver = served(
    { mill, pushed, gone },
    { commandsPerSecond: 10_000, maxBodyBytes: 4_096 },
    async ({ server, get }) => {
      const described = await get('/openapi.json')
      const operations = operationsOf(described)
      const worlds = new Map<string, World>()
      for (const name of ['mill', 'pushed', 'gone']) worlds.set(name, await worldOf(get, name))
      const ajv = new Ajv2020({ strict: false, validateFormats: false })
      const compiled = new Map<unknown, ValidateFunction>()
      const schemaOf = ({ operation }: Made, status: number): ValidateFunction | undefined => {
        const schema = operation.answers.get(status)
        if (schema === undefined) return undefined
        if (!compiled.has(schema)) compiled.set(schema, ajv.compile(schema))
        return compiled.get(schema)
      }
      const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
      const statuses = new Map<number, number>()
      const codes = new Set<string>()
      const done = new Set<unknown>()
      const complaints: string[] = []

      let left = REQUESTS
      const client = async (): Promise<void> => {
        while (left-- > 0 && complaints.length < ENOUGH) {
          let operation = operations[random(operations.length)]!
          while (operation.path.endsWith('svg') && random(PICTURES_ONE_IN) !== 0)
            operation = operations[random(operations.length)]!
          const made = requestOf(operation, worlds, random)
          const answer = await send(server.url, made, agent)
          const { status, text } = answer
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
          const wrong = complaint(made, answer, schemaOf)
          if (wrong !== undefined) {
            const { method, path, headers, body } = made
            const told = JSON.stringify({ method, path, headers, body, status, text }).slice(0, 800)
            complaints.push(`seed ${seed}: ${wrong}: ${told}`)
          }
          if (status >= 400 && text.startsWith('{"error"')) codes.add(JSON.parse(text).error.code)
          if (made.method !== operation.method) continue
          const isRefused = REFUSALS.some((code) => status >= 400 && text.includes(`"${code}"`))
          if (status < 300 || isRefused) done.add(operation)
          learn(worlds, made, answer)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, client))
      agent.destroy()
      assert.deepEqual(complaints, [])
      const told = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`)
      context.diagnostic(told.join(', '))
      context.diagnostic([...codes].sort().join(' '))
      const among = (least: number, below: number): number =>
        [...statuses].reduce((sum, [status, count]) => (status >= least && status < below ? sum + count : sum), 0)
      assert.ok(among(200, 300) > REQUESTS / 3, 'many requests are done')
      assert.ok(among(404, 405) < REQUESTS / 8, 'most requests are for something that is there')
      const never = operations.filter(
        (operation) => !done.has(operation) && !/ready$|lineage|replay$|what-if$/.test(operation.path),
      )
      assert.deepEqual(
        never.map(({ method, path }) => `${method} ${path}`),
        [],
        `seed ${seed}: never done`,
      )
      for (const code of [
        'REQUEST_INVALID',
        'ADDRESS_UNKNOWN',
        'PIPELINE_UNKNOWN',
        'NODE_UNKNOWN',
        'METHOD_NOT_ALLOWED',
        'BODY_NOT_JSON',
        'ORIGIN_REFUSED',
        'HEADERS_TOO_LARGE',
      ])
        assert.ok(codes.has(code), code)
      assert.deepEqual([mill.state, pushed.state], ['running', 'running'])
      pushed.resume()
      const receipt = await pushed.push('in', 1)
      await receipt.done
      const { ledger } = await get('/pipelines/mill/analysis')
      assert.ok(ledger.holds, JSON.stringify(ledger.entries))
    },
  )
  try {
    await isOver
  } finally {
    await Promise.all([mill.stop(), pushed.stop(), gone.stop()])
  }
})
