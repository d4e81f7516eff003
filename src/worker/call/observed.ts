import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'

/** A handler of the user. */
type Called = (...args: any[]) => unknown

/** What is told of a call of a handler, and added when it is over. */
interface CallMessage {
  readonly node: string
  readonly [fact: string]: unknown
  result?: unknown
  error?: unknown
}

/** Handlers whose calls are told, each on a channel of its own: `tracing:millrace.call:start`, … */
type Observed = 'call' | 'batch' | 'poll' | 'ack'

/** What each of them is called with, as its message has it. */
const FACTS: Readonly<Record<Observed, (...args: any[]) => Readonly<Record<string, unknown>>>> = {
  call: (record, context) => ({ record, ...contextFacts(context) }),
  batch: (records: readonly unknown[], context) => ({ records, ...contextFacts(context) }),
  poll: (demand, { worker }) => ({ demand, worker }),
  ack: (successes, failures, { worker }) => ({ successes, failures, worker }),
}

function contextFacts({ worker, attempt, id }: { worker: number; attempt: number; id: string }): object {
  return { worker, attempt, id }
}

/** A handler whose calls are told on the channel of its kind; where nobody has subscribed by now, the handler itself. */
export function observed(kind: Observed, node: string, handler: Called): Called {
  const channel = tracingChannel<unknown, CallMessage>(`millrace.${kind}`)
  if (!channel.hasSubscribers) return handler
  return (...args) => follow(channel, { node, ...FACTS[kind](...args) }, () => handler(...args))
}

/** As `traceSync` for what a handler returns at once, as `tracePromise` for a promise. */
function follow(channel: TracingChannel<unknown, CallMessage>, message: CallMessage, call: () => unknown): unknown {
  const failed = (error: unknown): void => {
    message.error = error
    channel.error.publish(message)
  }
  const settled = <T>(then: () => T): T =>
    channel.asyncStart.runStores(message, () => {
      try {
        return then()
      } finally {
        channel.asyncEnd.publish(message)
      }
    })
  return channel.start.runStores(message, () => {
    try {
      const result = call()
      if (!isPromise(result)) {
        message.result = result
        return result
      }
      return result.then(
        (value) => {
          message.result = value
          return settled(() => value)
        },
        (error: unknown) => {
          failed(error)
          return settled(() => {
            throw error
          })
        },
      )
    } catch (error) {
      failed(error)
      throw error
    } finally {
      channel.end.publish(message)
    }
  })
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function'
}
