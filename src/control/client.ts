import { MillraceError } from '../errors.ts'
import type { ErrorAnswer } from './errors.ts'
import type { LoggedEvent } from './event-log.ts'
import type { CommandAnswer } from './resources/commands.ts'
import type { AnalysisAnswer } from './resources/analysis.ts'
import type { DeadLetterList } from './resources/dead-letters.ts'
import type { EventList } from './resources/events.ts'
import type { GraphAnswer } from './resources/graph.ts'
import type { HistogramList } from './resources/histograms.ts'
import type { LaneList } from './resources/lanes.ts'
import type { Live } from './resources/live.ts'
import type { PipelineList, PipelineSummary } from './resources/pipelines.ts'
import type { PlanAnswer } from './resources/plan.ts'
import type { StageList } from './resources/stages.ts'
import type { StatsAnswer } from './resources/stats.ts'
import type { TracingAnswer, TracingBody } from './resources/tracing.ts'

/** What `watch` gives: a snapshot, an event, or how many events are lost. */
export type WatchMessage =
  | { readonly name: 'snapshot'; readonly data: Live }
  | { readonly name: 'event'; readonly data: LoggedEvent; readonly id: string }
  | { readonly name: 'gap'; readonly data: { readonly missed: number } }

export interface ClientOptions {
  readonly token?: string | undefined
}

/** What each address below a pipeline answers to `read`. */
interface Resources {
  readonly '': PipelineSummary
  readonly '/graph': GraphAnswer
  readonly '/stages': StageList
  readonly '/stats': StatsAnswer
  readonly '/plan': PlanAnswer
  readonly '/lanes': LaneList
  readonly '/histograms': HistogramList
  readonly '/analysis': AnalysisAnswer
  readonly '/events': EventList
  readonly '/dead-letters': DeadLetterList
  readonly '/tracing': TracingAnswer
}

/** Talks to a control API. Needs nothing but `fetch`. */
export class ControlClient {
  readonly #base: string
  readonly #headers: Readonly<Record<string, string>>

  /** @param url of the API, with the prefix that it is mounted under */
  constructor(url: string, { token }: ClientOptions = {}) {
    this.#base = url.replace(/\/+$/, '')
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  }

  async pipelines(): Promise<PipelineList['pipelines']> {
    return ((await this.#json('GET', '/pipelines')) as PipelineList).pipelines
  }

  /** @throws CONTROL_UNREACHABLE with what the API said */
  async read<R extends keyof Resources>(pipeline: string, resource: R): Promise<Resources[R]> {
    return (await this.#json('GET', `/pipelines/${encodeURIComponent(pipeline)}${resource}`)) as Resources[R]
  }

  /** A question about traced records: an address below a pipeline, with what is asked. @throws CONTROL_UNREACHABLE */
  async ask(
    pipeline: string,
    address: string,
    query: Readonly<Record<string, string | number | undefined>> = {},
  ): Promise<unknown> {
    const given = Object.entries(query).flatMap(([key, value]): [string, string][] =>
      value === undefined ? [] : [[key, String(value)]],
    )
    const text = new URLSearchParams(given).toString()
    return this.#json('GET', `/pipelines/${encodeURIComponent(pipeline)}${address}${text === '' ? '' : `?${text}`}`)
  }

  async command(pipeline: string, command: 'pause' | 'resume' | 'drain' | 'stop'): Promise<CommandAnswer> {
    return (await this.#json('POST', `/pipelines/${encodeURIComponent(pipeline)}/${command}`)) as CommandAnswer
  }

  /** Changes what is traced, from the next chunks on. @throws CONTROL_UNREACHABLE */
  async setTracing(pipeline: string, rates: TracingBody): Promise<TracingAnswer> {
    return (await this.#json('PUT', `/pipelines/${encodeURIComponent(pipeline)}/tracing`, rates)) as TracingAnswer
  }

  /** Snapshots and events, until the signal aborts or the connection ends. */
  async *watch(
    pipeline: string,
    { rateHz = 2, signal }: { readonly rateHz?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<WatchMessage> {
    const path = `/pipelines/${encodeURIComponent(pipeline)}/watch?rateHz=${rateHz}`
    const response = await this.#fetch('GET', path, signal === undefined ? {} : { signal })
    if (response.body === null) return
    let rest = ''
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split('\n\n')
      rest = parts.pop() ?? ''
      for (const part of parts) {
        const found = parseMessage(part)
        if (found !== undefined) yield found
      }
    }
  }

  async #json(method: string, path: string, body?: unknown): Promise<unknown> {
    return (await this.#fetch(method, path, { body })).json()
  }

  async #fetch(
    method: string,
    path: string,
    { body, signal }: { readonly body?: unknown; readonly signal?: AbortSignal } = {},
  ): Promise<Response> {
    const url = `${this.#base}${path}`
    let response: Response
    try {
      const json = body === undefined ? {} : { 'content-type': 'application/json' }
      response = await fetch(url, {
        method,
        headers: { ...this.#headers, ...json },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (cause) {
      if (signal?.aborted === true) throw cause
      const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
      throw new MillraceError('CONTROL_UNREACHABLE', { url, reason }, { cause })
    }
    if (response.ok) return response
    const said = await response.json().catch(() => undefined)
    const { code, message } = (said as ErrorAnswer | undefined)?.error ?? {}
    throw new MillraceError('CONTROL_UNREACHABLE', { url, status: response.status, code, reason: message })
  }
}

/** One message of server-sent events; undefined where it is a comment, or none that we know. */
function parseMessage(text: string): WatchMessage | undefined {
  const fields = new Map(
    text.split('\n').map((line) => {
      const at = line.indexOf(': ')
      return [line.slice(0, at), line.slice(at + 2)]
    }),
  )
  const [name, data] = [fields.get('event'), fields.get('data')]
  if (data === undefined || (name !== 'snapshot' && name !== 'event' && name !== 'gap')) return undefined
  return { name, data: JSON.parse(data) as never, id: fields.get('id') ?? '' }
}
