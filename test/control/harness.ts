import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type GraphData, type Pipeline, run, type RunOptions } from 'millrace'
import { type ControlServer, type Pipelines, serveControl, type ServeOptions } from '#src/control/index.js'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body, parsed. */
  readonly json: any
}

export interface Asked {
  readonly server: ControlServer
  readonly ask: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>
  readonly get: (path: string) => Promise<any>
}

/** A server for these pipelines, for as long as `act` takes. */
export async function served(
  pipelines: Pipelines,
  options: ServeOptions,
  act: (asked: Asked) => Promise<void>,
): Promise<void> {
  await using server = await serveControl(pipelines, { port: 0, commandsPerSecond: 10_000, ...options })
  const ask: Asked['ask'] = async (method, path, body, headers = {}) => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const token = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }
    const response = await fetch(server.url + path, {
      method,
      headers: { ...json, ...token, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
  }
  const get: Asked['get'] = async (path) => {
    const { status, json, text } = await ask('GET', path)
    assert.equal(status, 200, `GET ${path}: ${text.slice(0, 300)}`)
    return json
  }
  await act({ server, ask, get })
}

/** A running pipeline and its server; the pipeline is stopped in the end. */
export async function controlled(
  graph: GraphData,
  given: { readonly run?: RunOptions; readonly serve?: ServeOptions },
  act: (asked: Asked & { readonly pipeline: Pipeline }) => Promise<void>,
): Promise<void> {
  const pipeline = await run(graph, given.run)
  try {
    await served(pipeline, given.serve ?? {}, (asked) => act({ ...asked, pipeline }))
  } finally {
    await pipeline.stop().catch(() => undefined)
  }
}

/** Waits until something holds, for at most twenty seconds. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  for (const end = performance.now() + 20_000; performance.now() < end; await sleep(20)) {
    const found = await look()
    if (found !== undefined && found !== false) return found
  }
  return assert.fail(`not in time: ${what}`)
}
