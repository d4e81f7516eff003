import { decodeValue, encodeValue } from '../../codec/values.ts'
import type { Hop, HopHandlers } from '../../graph/broker.ts'
import type { Context, SetupContext } from '../../graph/types.ts'
import { formatId, mix, mixed } from '../../lane/ids.ts'
import { resolve, VIA_OPTIONS } from '../../options/index.ts'
import type { Feed } from './feed.ts'
import { type MessageIntake, queueSource } from './queue.ts'
import type { MessageReceipt } from './receipt.ts'
import { Outbox, type Publisher } from './sink.ts'

/** A record between two parts, as a connector carries it. */
export interface Envelope {
  /** Names the message: the same each time that this record is sent here. */
  readonly id: string
  readonly bytes: Uint8Array
  /** How the bytes are to be read, and which version of the graph has written them. */
  readonly terms: string
  /** The span that wrote it, where it is traced. */
  readonly traceparent: string | undefined
}

/** The headers that a message of ours has. */
export const TERMS_HEADER = 'millrace'
export const TRACE_HEADER = 'traceparent'

/** Options of a buffer with an address, with every default filled in. */
export function hopOptions({ via, capacity }: Hop): any {
  const { technology, ...given } = via
  return { ...resolve(VIA_OPTIONS[technology].table, given), capacity }
}

const FORMAT = 1
const utf8 = new TextDecoder('utf-8', { fatal: true })
const TERMS = /^(\d+) (\w+) (\w+)$/

/** Handlers of the sink above a buffer: a record is done when the broker has confirmed it. */
export function hopWriter(hop: Hop, open: (context: SetupContext) => Promise<Publisher>): HopHandlers {
  const { codec } = hopOptions(hop) as { readonly codec: string }
  const terms = `${FORMAT} ${codec} ${hop.version}`
  const salt = saltOf(hop.buffer)
  return {
    setup: (context: SetupContext) => Outbox.open(context, open),
    write: (record: unknown, context: Context<Outbox>) => {
      const named = idAt(context.id, salt)
      const bytes = codec === 'json' ? Buffer.from(jsonOf(record)) : encodeValue(record).slice()
      const envelope: Envelope = { id: named, bytes, terms, traceparent: context.trace?.traceparent }
      return context.state.send(envelope, named, context)
    },
    teardown: (state: Outbox) => state.close(),
  }
}

/** @throws a TypeError where a record has no JSON */
function jsonOf(record: unknown): string {
  const text = JSON.stringify(record) as string | undefined
  if (text === undefined) throw new TypeError(`a ${typeof record} has no JSON`)
  return text
}

/**
 * Handlers of the source below a buffer: a message is acked when all results of its record are done.
 * @param envelopeOf undefined where a message is not ours
 */
export function hopReader<M extends { readonly deliveries: number }, R extends MessageReceipt>(
  hop: Hop,
  envelopeOf: (message: M) => Envelope | undefined,
  open: (feed: Feed<M>, context: SetupContext) => Promise<MessageIntake<R>>,
): HopHandlers {
  const options = hopOptions(hop)
  const opener = new Opener(hop, options.whenGraphDiffers)
  const queue = {
    ...options,
    decode: (message: M) => opener.read(envelopeOf(message)),
    marksOf: (message: M) => {
      const envelope = envelopeOf(message)
      return { id: envelope?.id, traceparent: envelope?.traceparent }
    },
  }
  const { setup, poll, ack, teardown } = queueSource<unknown, M, R>(queue, { buffer: hop.buffer }, open)
  return { setup, poll, ack, teardown } as unknown as HopHandlers
}

/** Reads what the other end has written. */
class Opener {
  readonly #hop: Hop
  readonly #whenGraphDiffers: 'accept' | 'warn' | 'refuse'
  readonly #known = new Map<string, (bytes: Uint8Array) => unknown>()

  constructor(hop: Hop, whenGraphDiffers: 'accept' | 'warn' | 'refuse') {
    this.#hop = hop
    this.#whenGraphDiffers = whenGraphDiffers
  }

  /** @throws an Error that says why the message is no record */
  read(envelope: Envelope | undefined): unknown {
    if (envelope === undefined) throw new TypeError('no part of a graph has sent it')
    let reader = this.#known.get(envelope.terms)
    if (reader === undefined) this.#known.set(envelope.terms, (reader = this.#readerOf(envelope.terms)))
    return reader(envelope.bytes)
  }

  #readerOf(terms: string): (bytes: Uint8Array) => unknown {
    const [, format, codec, version] = TERMS.exec(terms) ?? []
    if (format !== String(FORMAT)) throw new TypeError(`its format is ${JSON.stringify(terms)}, not ${FORMAT}`)
    const { graph, buffer, version: own } = this.#hop
    if (version !== own && this.#whenGraphDiffers !== 'accept') {
      const text = `another version of the graph has sent it: ${version}, and this is ${own}`
      if (this.#whenGraphDiffers === 'refuse') throw new TypeError(text)
      process.emitWarning(`A message in the buffer ${buffer} of ${graph} is taken, though ${text}.`, 'MillraceWarning')
    }
    if (codec === 'msgpack') return decodeValue
    if (codec === 'json') return (bytes) => JSON.parse(utf8.decode(bytes)) as unknown
    throw new TypeError(`its codec is ${codec}`)
  }
}

/**
 * The id of a record as a message in a buffer. It differs from the record's own: a record that comes by again, because its parts form
 * a loop, is another message.
 */
function idAt(id: string, salt: number): string {
  mix(Number.parseInt(id.slice(8), 16) | 0, Number.parseInt(id.slice(0, 8), 16) | 0, salt)
  return formatId(mixed.low, mixed.high)
}

function saltOf(buffer: string): number {
  let salt = buffer.length
  for (let i = 0; i < buffer.length; i++) salt = (Math.imul(salt, 31) + buffer.charCodeAt(i)) | 0
  return salt
}
