import { formatId, mix, mixed } from '../../lane/ids.ts'
import { spanIdOfAttempt } from '../../lane/span-id.ts'
import { parseParent } from '../../lane/trace-parent.ts'
import { PARENT_ATTRIBUTE, type TraceEvent } from '../event.ts'
import { countOf } from '../questions/origins.ts'
import { idIn, wordsOf } from '../questions/record-ids.ts'
import { waitOf } from '../questions/trace-filter.ts'

/** A span as OTLP/HTTP JSON has it: ids in hexadecimal digits, numbers of 64 bits as texts, kinds as numbers. */
export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly OtlpAttribute[]
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly droppedLinksCount?: number
  readonly status: { readonly code?: number; readonly message?: string }
}

interface OtlpAttribute {
  readonly key: string
  readonly value:
    | { readonly stringValue: string }
    | { readonly boolValue: boolean }
    | { readonly intValue: string }
    | { readonly doubleValue: number }
}

const INTERNAL = 1
const PRODUCER = 4
const CONSUMER = 5
const ERROR = 2
/** The SDKs keep no more links of a span. */
const MAX_LINKS = 128

/** Names of attributes in one place: the conventions for messaging are still in development. */
const ATTRIBUTES = {
  system: 'messaging.system',
  operation: 'messaging.operation.type',
  operationName: 'messaging.operation.name',
  destination: 'messaging.destination.name',
  batchCount: 'messaging.batch.message_count',
  bodySize: 'messaging.message.body.size',
  droppedLinks: 'millrace.links.dropped',
} as const

interface SentBy {
  readonly traceId: string
  readonly spanId: string
  readonly edge: number
  readonly first: number
  readonly count: number
}

/** Makes spans of events. It remembers who sent what, so that a hop finds its parents in earlier batches too. */
export class Spans {
  readonly #maxRemembered: number
  /** By run, edge and base: the oldest go first. */
  readonly #sent = new Map<string, SentBy[]>()
  readonly #roots = new Map<string, string>()
  readonly #attempts = new Map<string, { readonly traceId: string; readonly spanId: string }>()
  /** Spans by event, and the events that have them. */
  readonly #ids = new Map<string, string>()
  readonly #taken = new Map<string, string>()
  /** What traces continue that began elsewhere. */
  readonly #continued = new Map<string, { readonly traceId: string; readonly spanId: string }>()

  constructor(maxRemembered = 100_000) {
    this.#maxRemembered = maxRemembered
  }

  of(events: readonly TraceEvent[]): OtlpSpan[] {
    const traced = events.filter(({ traces }) => traces.length > 0)
    for (const event of traced) this.#learn(event)
    return traced.map((event) => this.#span(event))
  }

  #learn(event: TraceEvent): void {
    const { run, kind, outputs, traces, attributes = {} } = event
    const spanId = this.idOf(event)
    if (kind === 'open') remember(this.#roots, traces[0]!, spanId, this.#maxRemembered)
    const parent = kind === 'open' && parseParent(String(attributes[PARENT_ATTRIBUTE] ?? ''))
    if (parent) remember(this.#continued, traces[0]!, parent, this.#maxRemembered)
    if (event.outcome === 'retried' || event.outcome === 'died')
      remember(this.#attempts, attemptKey(event), { traceId: this.#traceOf(event), spanId }, this.#maxRemembered)
    for (const { edge, base, first, count } of outputs) {
      const key = `${run} ${base}`
      const list = this.#sent.get(key) ?? []
      list.push({ traceId: this.#traceOf(event), spanId, edge, first, count })
      remember(this.#sent, key, list, this.#maxRemembered)
    }
  }

  /** The trace that an event is of: the one that was continued, or our own. */
  #traceOf({ traces }: TraceEvent): string {
    return this.#continued.get(traces[0]!)?.traceId ?? traces[0]!
  }

  /** Of a source: the span of another system that it continues. */
  #before({ kind, traces }: TraceEvent): string | undefined {
    return kind === 'open' ? this.#continued.get(traces[0]!)?.spanId : undefined
  }

  /**
   * The id of the span of an event: the one that `context.trace` has named to handlers, where this is the first event that tells of
   * that attempt.
   */
  idOf(event: TraceEvent): string {
    const key = `${event.run} ${event.sequence}`
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const attempt = attemptIdOf(event)
    const isFree = attempt !== undefined && (this.#taken.get(attempt) ?? key) === key
    const id = isFree ? attempt : sequenceIdOf(event)
    remember(this.#ids, key, id, this.#maxRemembered)
    remember(this.#taken, id, key, this.#maxRemembered)
    return id
  }

  #parents({ run, inputs }: TraceEvent): { traceId: string; spanId: string }[] {
    const found = new Map<string, { traceId: string; spanId: string }>()
    for (const { edge, base, first, count } of inputs)
      for (const { traceId, spanId, ...sent } of this.#sent.get(`${run} ${base}`) ?? [])
        if ((edge ?? sent.edge) === sent.edge && first < sent.first + sent.count && sent.first < first + count)
          found.set(spanId, { traceId, spanId })
    return [...found.values()]
  }

  #span(event: TraceEvent): OtlpSpan {
    const { traces, kind, node, takenAt, handedOffAt, error, outcome } = event
    const traceId = this.#traceOf(event)
    const spanId = this.idOf(event)
    const parents = kind === 'end' ? [] : this.#parents(event).filter((parent) => parent.spanId !== spanId)
    const only = parents.length === 1 ? parents[0]! : undefined
    const parent =
      kind === 'end' ? this.#roots.get(traces[0]!) : only?.traceId === traceId ? only.spanId : this.#before(event)
    const before = this.#attempts.get(attemptKey(event))
    // What has one parent in its own trace is its child; every other relation is a link.
    const all = [
      ...(parent === undefined ? parents : []),
      ...(before === undefined || before.spanId === spanId ? [] : [before]),
    ]
    const links = all.slice(0, MAX_LINKS)
    const failed = outcome !== 'ok' && outcome !== 'filtered'
    return {
      traceId,
      spanId,
      ...(parent === undefined ? {} : { parentSpanId: parent }),
      name: kind === 'open' ? `send ${node}` : kind === 'end' ? `end ${node}` : `process ${node}`,
      kind: kind === 'open' ? PRODUCER : kind === 'end' ? INTERNAL : CONSUMER,
      startTimeUnixNano: nanos(takenAt),
      endTimeUnixNano: nanos(handedOffAt),
      attributes: attributesOf(event, all.length - links.length),
      ...(links.length === 0 ? {} : { links }),
      ...(all.length > links.length ? { droppedLinksCount: all.length - links.length } : {}),
      status: failed ? { code: ERROR, message: error === undefined ? outcome : `${error.code}: ${error.message}` } : {},
    }
  }
}

function attemptIdOf({ inputs, made, node, worker, epoch, attempt }: TraceEvent): string | undefined {
  const first = made ?? inputs[0]
  if (first === undefined) return undefined
  const [low, high] = wordsOf(idIn(first, 0))
  return spanIdOfAttempt({ low, high, node, worker, epoch, attempt })
}

function sequenceIdOf({ run, sequence }: TraceEvent): string {
  mix(...wordsOf(run), sequence | 0)
  const id = formatId(mixed.low, mixed.high)
  return id === '0000000000000000' ? '0000000000000001' : id
}

function attributesOf(event: TraceEvent, droppedLinks: number): OtlpAttribute[] {
  const { kind, node, worker, epoch, attempt, inputs, outputs, serviceMs, outcome, attributes = {}, traces } = event
  const isOpen = kind === 'open'
  const records = isOpen ? outputs : inputs
  const edges = [...new Set(records.map(({ edge }) => edge))].filter((edge) => edge !== undefined)
  const bytes = records.reduce((sum, { bytes = 0 }) => sum + bytes, 0)
  return Object.entries({
    [ATTRIBUTES.system]: 'millrace',
    ...(kind === 'end'
      ? {}
      : {
          [ATTRIBUTES.operation]: isOpen ? 'send' : 'process',
          [ATTRIBUTES.operationName]: isOpen ? 'send' : 'process',
          [ATTRIBUTES.batchCount]: countOf(records),
          [ATTRIBUTES.bodySize]: bytes,
        }),
    ...(edges.length === 0 ? {} : { [ATTRIBUTES.destination]: `edge ${edges.join()}` }),
    'millrace.node': node,
    'millrace.worker': worker,
    'millrace.epoch': epoch,
    'millrace.attempt': attempt,
    'millrace.kind': kind,
    'millrace.outcome': outcome,
    'millrace.wait_ms': waitOf(event) + 0.0,
    'millrace.service_ms': serviceMs,
    ...(traces.length > 1 ? { 'millrace.traces': traces.length } : {}),
    ...(droppedLinks > 0 ? { [ATTRIBUTES.droppedLinks]: droppedLinks } : {}),
    ...attributes,
  }).map(([key, value]) => ({ key, value: valueOf(value) }))
}

function valueOf(value: string | number | boolean): OtlpAttribute['value'] {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}

function attemptKey({ run, node, inputs }: TraceEvent): string {
  const [first] = inputs
  return `${run} ${node} ${first?.base} ${first?.first} ${first?.edge}`
}

function nanos(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n)
}

function remember<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > most) map.delete(map.keys().next().value!)
}
