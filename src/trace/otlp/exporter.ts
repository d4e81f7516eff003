import { LIBRARY_VERSION } from '../../version.ts'
import type { TraceEvent } from '../event.ts'
import { byRun } from '../source.ts'
import type { StoreStats } from '../store/store.ts'
import { WriteQueue } from '../store/write-queue.ts'
import { post, type PostOptions } from './post.ts'
import { Spans } from './spans.ts'

export interface OtlpOptions {
  /** Where spans go: the whole address, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Attributes of the resource; `service.name` is the pipeline unless it is here. */
  readonly resource?: Readonly<Record<string, string>> | undefined
  readonly compression?: 'gzip' | 'none' | undefined
  /** Spans of one request. Default: 512. */
  readonly batch?: number
  /** Longest time until spans are sent. Default: 5,000. */
  readonly flushMs?: number
  /** Spans that wait at most. Default: 16,384. */
  readonly maxPending?: number
  /** For one attempt. Default: 10,000. */
  readonly timeoutMs?: number
  /** Attempts of one request. Default: 5. */
  readonly attempts?: number
  /** Pause before the second attempt, doubled for each further one, and the longest pause. Defaults: 1,000 and 30,000. */
  readonly pauseMs?: number
  readonly maxPauseMs?: number
  /** Longest time that `close` waits for what is still to be sent. Default: 10,000. */
  readonly closeMs?: number
}

export interface OtlpStats extends StoreStats {
  /** Of the spans that were sent: those that the collector did not take. */
  readonly rejected: number
}

/** Sends events as spans over OTLP/HTTP. Whatever the collector does, who writes never waits. */
export class OtlpExporter {
  readonly #options: OtlpOptions
  readonly #post: PostOptions
  readonly #queue: WriteQueue
  readonly #spans = new Spans()
  readonly #closing = new AbortController()
  #rejected = 0

  constructor(options: OtlpOptions) {
    const {
      url,
      headers,
      compression = 'gzip',
      timeoutMs = 10_000,
      attempts = 5,
      pauseMs = 1_000,
      maxPauseMs = 30_000,
    } = options
    this.#options = options
    const isCompressed = compression === 'gzip'
    this.#post = { url, headers, isCompressed, timeoutMs, attempts, pauseMs, maxPauseMs, signal: this.#closing.signal }
    const { batch = 512, flushMs = 5_000, maxPending = 16_384 } = options
    this.#queue = new WriteQueue((events) => this.#send(events), { batch, flushMs, maxPending })
  }

  write(events: readonly TraceEvent[]): void {
    this.#queue.write(events.filter(({ traces }) => traces.length > 0))
  }

  async #send(events: readonly TraceEvent[]): Promise<number> {
    const body = requestOf(events, this.#spans, this.#options.resource)
    const answer = await post(body, this.#post)
    this.#rejected += rejectedIn(answer)
    return JSON.stringify(body).length
  }

  flush(): Promise<void> {
    return this.#queue.flush()
  }

  stats(): OtlpStats {
    return { ...this.#queue.stats, rejected: this.#rejected }
  }

  async close(): Promise<void> {
    const late = AbortSignal.timeout(this.#options.closeMs ?? 10_000)
    late.addEventListener('abort', () => this.#closing.abort(), { once: true })
    await this.#queue.flush()
  }
}

/** The body of a request. */
export function requestOf(
  events: readonly TraceEvent[],
  spans: Spans,
  resource: Readonly<Record<string, string>> = {},
): unknown {
  const resourceSpans = [...byRun(events)].map(([run, own]) => {
    const attributes = {
      'service.name': own[0]!.pipeline,
      'service.instance.id': run,
      'telemetry.sdk.name': 'millrace',
      ...resource,
    }
    return {
      resource: {
        attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: value } })),
      },
      scopeSpans: [{ scope: { name: 'millrace', version: LIBRARY_VERSION }, spans: spans.of(own) }],
    }
  })
  return { resourceSpans }
}

function rejectedIn(answer: unknown): number {
  const partial = (answer as { partialSuccess?: { rejectedSpans?: unknown } } | undefined)?.partialSuccess
  const rejected = Number(partial?.rejectedSpans ?? 0)
  return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0
}

/** What the environment says, by the names that the specification gives; `undefined` where it names no collector. */
export function otlpFromEnvironment(env: Readonly<Record<string, string | undefined>>): OtlpOptions | undefined {
  const whole = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT']
  const url = whole ?? (base === undefined ? undefined : `${base.replace(/\/$/, '')}/v1/traces`)
  if (url === undefined || url === '') return undefined
  const of = (name: string): string | undefined =>
    env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] ?? env[`OTEL_EXPORTER_OTLP_${name}`]
  const timeoutMs = Number(of('TIMEOUT'))
  return {
    url,
    headers: pairsOf(of('HEADERS')),
    resource: { ...pairsOf(env['OTEL_RESOURCE_ATTRIBUTES']), ...named(env['OTEL_SERVICE_NAME']) },
    compression: of('COMPRESSION') === 'none' ? 'none' : 'gzip',
    ...(timeoutMs > 0 ? { timeoutMs } : {}),
  }
}

function named(name: string | undefined): Record<string, string> {
  return name === undefined || name === '' ? {} : { 'service.name': name }
}

/** `key=value,key2=value%202`. */
function pairsOf(text = ''): Record<string, string> {
  return Object.fromEntries(
    text.split(',').flatMap((pair): [string, string][] => {
      const at = pair.indexOf('=')
      return at < 1 ? [] : [[pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())]]
    }),
  )
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
