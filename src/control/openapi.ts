import type { TProperties, TSchema } from 'typebox'
import { ERROR_CODES, type ErrorCode, MillraceError } from '../errors.ts'
import { examplesOf, type Endpoint } from './endpoint.ts'
import { answerOf, ErrorAnswer, STATUSES } from './errors.ts'
import { LoggedEvent } from './event-log.ts'
import { Live } from './resources/live.ts'

const CONTROL_TEXT = 'Monitor running pipelines, find their bottlenecks, and control them while they run.'

/** The OpenAPI 3.1 document of some endpoints. Their schemas are JSON Schema as they stand. */
export function openApi(endpoints: readonly Endpoint[], options: OpenApiOptions): object {
  const { prefix, version, hasToken, title = 'Millrace control', description = CONTROL_TEXT } = options
  const paths: Record<string, Record<string, object>> = {}
  for (const endpoint of endpoints) {
    const path = endpoint.path.replaceAll(/:(\w+)/g, '{$1}')
    const methods = (paths[path] ??= {})
    methods[endpoint.method.toLowerCase()] = operation(endpoint, hasToken)
  }
  return {
    openapi: '3.1.0',
    info: {
      title,
      version,
      description,
    },
    servers: [{ url: prefix === '' ? '/' : prefix }],
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Error: ErrorAnswer, Live, LoggedEvent },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  }
}

export interface OpenApiOptions {
  readonly prefix: string
  readonly version: string
  readonly hasToken: boolean
  /** Of the API. Default: those of the control API. */
  readonly title?: string
  readonly description?: string
}

function operation(endpoint: Endpoint, hasToken: boolean): object {
  const { method, path, tag, summary, access, params, query, body, answer, status } = endpoint
  const ids = path
    .split('/')
    .map((part) => part.replace(':', '').replaceAll(/-(\w)/g, (_, c: string) => c.toUpperCase()))
  return {
    operationId: [method.toLowerCase(), ...ids.filter((part) => part !== '')].join('_').replaceAll('.', '_'),
    tags: [tag],
    summary,
    parameters: [
      ...parameters('path', params.properties, params.required),
      ...parameters('query', query.properties, query.required),
    ],
    ...(body === undefined ? {} : { requestBody: { required: true, content: json(body) } }),
    responses: {
      [status]: {
        description: 'Success.',
        content: typeof answer === 'string' ? { [answer]: { schema: { type: 'string' } } } : json(answer),
      },
      ...failures(endpoint, hasToken),
    },
    ...(hasToken && access !== 'open' ? { security: [{ token: [] }] } : {}),
  }
}

function parameters(place: 'path' | 'query', properties: TProperties, required: readonly string[] = []): object[] {
  return Object.entries(properties).map(([name, schema]) => {
    const { description } = schema as { description?: string }
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema,
    }
  })
}

function json(schema: TSchema): object {
  const examples = examplesOf(schema)
  return { 'application/json': { schema, ...(examples.length === 0 ? {} : { example: examples[0] }) } }
}

/** The failures of an endpoint: its own, and those that any of its kind can meet. */
function failures({ method, access, body, errors, params }: Endpoint, hasToken: boolean): Record<string, object> {
  const codes: ErrorCode[] = [
    ...errors,
    // A query that an address does not know is refused where none is known, too, and so is a body that is no JSON.
    'REQUEST_INVALID',
    ...('pipeline' in params.properties ? (['PIPELINE_UNKNOWN', 'PIPELINE_STARTING'] as const) : []),
    ...(method === 'GET' && body === undefined ? [] : (['BODY_NOT_JSON', 'BODY_TOO_LARGE'] as const)),
    ...(access === 'command' ? (['COMMANDS_TOO_FAST', 'ORIGIN_REFUSED'] as const) : []),
    ...(hasToken && access !== 'open' ? (['TOKEN_MISSING', 'TOKEN_WRONG'] as const) : []),
  ]
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of codes) {
    const status = STATUSES[code] ?? 500
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  const entries = [...byStatus].map(([status, list]) => [status, failure(list)] as const)
  return Object.fromEntries(entries)
}

function failure(codes: readonly ErrorCode[]): object {
  const examples = codes.map((code) => [code, { value: answerOf(new MillraceError(code)) }])
  return {
    description: codes.map((code) => `${code}: ${ERROR_CODES[code].text}`).join(' '),
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/Error' },
        examples: Object.fromEntries(examples) as object,
      },
    },
  }
}
