import type { Msg, MsgHdrs } from '@nats-io/transport-node'
import { clearInterval, monotonicMs, setInterval } from '../../time.ts'
import type { NatsLink } from './link.ts'

/** What waits for the word of a stream. */
interface Wait {
  readonly subject: string
  readonly until: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

const UNANSWERED = 503
/** Looks for what waits too long, in each time that an answer may take. */
const LOOKS = 4

/**
 * Publishes to streams, and waits for what they answer. All answers come to one inbox: the client's own `publish` makes a timer and two
 * errors for each message, which takes more than the rest of it.
 */
export class Confirms {
  readonly #link: NatsLink
  readonly #confirmMs: number
  readonly #inbox: string
  /** By number, oldest first. */
  readonly #waits = new Map<string, Wait>()
  readonly #timer: NodeJS.Timeout
  #last = 0

  constructor(link: NatsLink, confirmMs: number) {
    this.#link = link
    this.#confirmMs = confirmMs
    this.#inbox = `${link.client.createInbox()}.`
    link.connection.subscribe(`${this.#inbox}*`, {
      callback: (error, answer) => (error === null ? this.#answer(answer) : this.fail(() => error)),
    })
    this.#timer = setInterval(() => this.#giveUp(), confirmMs / LOOKS)
    // What was published on a lost connection may not have come.
    link.onLost(() => this.fail(() => this.lost()))
  }

  /** Resolves when the stream has the message. */
  publish(subject: string, bytes: string | Uint8Array, headers: MsgHdrs): Promise<void> {
    // What is published now goes nowhere.
    if (!this.#link.isConnected) return Promise.reject(this.lost())
    return new Promise((resolve, reject) => {
      const number = String(++this.#last)
      this.#link.connection.publish(subject, bytes, { reply: this.#inbox + number, headers })
      this.#waits.set(number, { subject, until: monotonicMs() + this.#confirmMs, resolve, reject })
    })
  }

  lost(): Error {
    return new this.#link.client.RequestError('the connection is lost')
  }

  /** No answer comes any more. */
  fail(errorFor: () => Error): void {
    const waits = [...this.#waits.values()]
    this.#waits.clear()
    for (const { reject } of waits) reject(errorFor())
  }

  close(): void {
    clearInterval(this.#timer)
    this.fail(() => new this.#link.client.ClosedConnectionError())
  }

  #answer(answer: Msg): void {
    const number = answer.subject.slice(this.#inbox.length)
    const wait = this.#waits.get(number)
    if (wait === undefined) return
    this.#waits.delete(number)
    const error = this.#errorOf(answer, wait.subject)
    if (error === undefined) wait.resolve()
    else wait.reject(error)
  }

  #errorOf(answer: Msg, subject: string): Error | undefined {
    const { client } = this.#link
    if (answer.data.length === 0 && answer.headers?.code === UNANSWERED) return new client.NoRespondersError(subject)
    const { error, stream } = answer.json<{ readonly error?: Refusal; readonly stream?: string }>()
    if (error !== undefined) return new client.JetStreamApiError(error)
    return stream === undefined || stream === '' ? new client.JetStreamError('what answers is no stream') : undefined
  }

  #giveUp(): void {
    const now = monotonicMs()
    for (const [number, { until, reject }] of this.#waits) {
      if (until > now) return
      this.#waits.delete(number)
      reject(new this.#link.client.TimeoutError())
    }
  }
}

interface Refusal {
  readonly code: number
  readonly err_code: number
  readonly description: string
}
