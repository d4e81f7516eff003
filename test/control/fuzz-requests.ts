/** Requests made from the OpenAPI document: most are as it says, some are odd in one way or in several. */

export type Random = (below: number) => number

/** Numbers from a seed, so that a failure can be had again. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

export interface Operation {
  readonly path: string
  readonly method: string
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: any }[]
  readonly body: any
  /** By status: the schema of the answer, or undefined where it is no JSON. */
  readonly answers: ReadonlyMap<number, any>
}

/** What there is to ask for: node ids and kinds, letters and receipts that were seen, of each pipeline. */
export interface World {
  readonly nodes: readonly { readonly id: string; readonly kind: string; readonly workers: number }[]
  readonly letters: number[]
  readonly receipts: string[]
}

export interface Made {
  readonly operation: Operation
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string | undefined
  /** What is not as the document says: of an address or a method, anything may be answered that is no success. */
  readonly odd: ReadonlySet<'address' | 'query' | 'method' | 'headers' | 'body'>
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

const ODD_HEADERS: readonly Readonly<Record<string, string>>[] = [
  { accept: 'text/nothing' },
  { 'accept-encoding': 'gzip;q=0, *' },
  { authorization: 'Bearer' },
  { authorization: 'Basic dXNlcjpwYXNz' },
  { 'content-encoding': 'gzip' },
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-type': 'application/x-www-form-urlencoded' },
  { 'content-type': ';;;' },
  { cookie: '__proto__=1; =; a' },
  { host: 'example.org' },
  { host: '%' },
  { 'if-none-match': '*', 'if-modified-since': 'never' },
  { 'last-event-id': '-1' },
  { 'last-event-id': 'x-99999999999999999999' },
  { origin: 'null' },
  { origin: 'https://example.org' },
  { range: 'bytes=5-1' },
  { 'sec-fetch-site': 'cross-site' },
  { te: 'trailers' },
  { 'x-forwarded-host': 'example.org', forwarded: 'for=_x' },
  { 'x-http-method-override': 'DELETE' },
  { 'x-large': 'x'.repeat(20_000) },
]

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'SEARCH', 'PURGE']
/** One request in so many is odd in each of these ways. */
const ODD_ONE_IN = { address: 16, query: 5, method: 25, headers: 8, body: 4 }
/** What ends a pipeline, or takes its dead letters away, is asked of one that is there for that. */
const ENDS = /\/(?:drain|stop)$|^DELETE .*\/dead-letters$/

export function operationsOf({ paths }: { readonly paths: object }): readonly Operation[] {
  return Object.entries<any>(paths).flatMap(([path, methods]) =>
    Object.entries<any>(methods).map(([method, { parameters, requestBody, responses }]) => ({
      path,
      method: method.toUpperCase(),
      parameters,
      body: requestBody?.content['application/json'].schema,
      answers: new Map(
        Object.entries<any>(responses).map(([status, { content }]) => [
          Number(status),
          content['application/json']?.schema,
        ]),
      ),
    })),
  )
}

export function requestOf(operation: Operation, worlds: ReadonlyMap<string, World>, random: Random): Made {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!
  const odd = new Set(
    (Object.keys(ODD_ONE_IN) as (keyof typeof ODD_ONE_IN)[]).filter((way) => random(ODD_ONE_IN[way]) === 0),
  )
  const ends = ENDS.test(`${operation.method} ${operation.path}`)
  const pipeline = ends ? 'gone' : pick(['mill', 'mill', 'mill', 'pushed', 'pushed', 'pushed', 'gone'])
  const world = worlds.get(pipeline)!
  const oddText = (): string => String(pick(ODD)).slice(0, 200)
  const value = (schema: any, oneIn = Infinity): unknown => valueOf(schema, random, oneIn)

  const names = operation.parameters.filter((each) => each.in === 'path').map(({ name }) => name)
  const oddName = odd.has('address') && !ends ? pick(names.length === 0 ? [''] : names) : undefined
  const stages = world.nodes.filter(({ kind }) => ['source', 'transform', 'sink'].includes(kind))
  const node = pick(operation.path.includes('/sources/') ? stages.filter(({ kind }) => kind === 'source') : stages)
  const known: Readonly<Record<string, unknown>> = {
    pipeline,
    node: node.id,
    worker: random(node.workers),
    kind: node.kind === 'source' ? pick(['service', 'ack', 'endToEnd']) : pick(['service', 'lane']),
    id: operation.path.includes('dead-letters') ? pick([...world.letters, 1]) : pick([...world.receipts, '1']),
  }
  const filled = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(name === oddName ? oddText() : String(known[name])),
  )
  const address = oddName === '' ? `${filled}/${encodeURIComponent(oddText())}` : filled
  const query = operation.parameters
    .filter((parameter) => parameter.in === 'query' && random(2) === 0)
    .map(({ name, schema }) => {
      const given = name === 'node' ? node.id : value(schema, odd.has('query') ? 2 : Infinity)
      return `${name}=${encodeURIComponent(String(given))}`
    })
  if (odd.has('query') && random(3) === 0) query.push(`${encodeURIComponent(oddText().slice(0, 50))}=1`)

  const headers: Record<string, string> = {}
  let body: string | undefined
  if (operation.body !== undefined) {
    const made = value(operation.body, odd.has('body') ? 3 : Infinity)
    body = JSON.stringify(fitted(made, operation, node.id, random))
    if (odd.has('body') && random(4) === 0) body = body.slice(0, random(body.length))
  } else if (odd.has('body') && operation.method !== 'GET') {
    body = JSON.stringify(pick(ODD))
  }
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (odd.has('headers')) Object.assign(headers, pick(ODD_HEADERS))
  const method = odd.has('method') && !ends ? pick(METHODS) : operation.method
  return { operation, method, path: address + (query.length === 0 ? '' : `?${query.join('&')}`), headers, body, odd }
}

/** Threads that are really ended take a while to come back: most of these name a life that is long over. */
function fitted(made: unknown, { path }: Operation, node: string, random: Random): unknown {
  if (typeof made !== 'object' || made === null || Array.isArray(made)) return made
  if (/\/(?:kill|restart)$/.test(path) && random(60) !== 0) return { ...made, epoch: 1_000_000 }
  if (!path.endsWith('/records')) return made
  const { node: given, ...rest } = made as { node?: unknown; waitMs?: unknown }
  const wait = typeof rest.waitMs === 'number' && rest.waitMs > 5 ? { waitMs: random(5) } : {}
  return { ...rest, ...wait, node: typeof given === 'string' && !ODD.includes(given) ? node : given }
}

/** What a schema describes; one value in `oneIn` is something else. */
function valueOf(schema: any, random: Random, oneIn: number): unknown {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!
  if (oneIn !== Infinity && random(oneIn) === 0) return pick(ODD)
  if (schema.anyOf !== undefined) return valueOf(pick(schema.anyOf), random, oneIn)
  if (schema.enum !== undefined) return pick(schema.enum)
  const least = schema.minimum ?? schema.exclusiveMinimum ?? 0
  const room = Math.min(1_000, (schema.maximum ?? Infinity) - least)
  switch (schema.type) {
    case 'integer':
      return least + random(room + 1)
    case 'number':
      return least + ((1 + random(100)) / 100) * room
    case 'boolean':
      return random(2) === 0
    case 'string':
      return pick([...(schema.examples ?? []), 'a', 'b-1', '7'])
    case 'null':
      return null
    case 'object': {
      const given = Object.entries<any>(schema.properties ?? {}).filter(
        ([name]) => schema.required?.includes(name) === true || random(2) === 0,
      )
      const extra = oneIn !== Infinity && random(4) === 0 ? [['__proto__', pick(ODD)] as const] : []
      return Object.fromEntries([...given.map(([name, each]) => [name, valueOf(each, random, oneIn)]), ...extra])
    }
    default:
      return random(2) === 0 ? pick(ODD) : random(100)
  }
}
