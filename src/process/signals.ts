import { validateOptions } from '../analysis/validate-options.ts'
import { MillraceError } from '../errors.ts'
import { SIGNAL_OPTIONS, resolve } from '../options/index.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import { clearTimeout, monotonicMs, setTimeout } from '../time.ts'
import type { Logger } from './log-events.ts'

/** What can be closed: a server of `node:http`, a Fastify or NestJS application, a `ControlServer`. */
export interface Closable {
  close(callback?: (error?: Error) => void): unknown
}

/** Options of `handleSignals`; `docs/options.md` says what each is for. */
export interface SignalOptions {
  /** Closed before the pipelines drain, so requests that are open are still answered through them. */
  readonly server?: Closable
  /** Gets a line for each step: a pino, or what logs like it. */
  readonly logger?: Logger
  readonly signals?: readonly NodeJS.Signals[]
  readonly graceMs?: number
  readonly delayMs?: number
  /** Ends the process. Default: `process.exit`. */
  readonly exit?: (code: number) => void
}

/** What `handleSignals` returns. */
export interface SignalHandler extends Disposable {
  /** False from the first signal on. For a readiness route of your own; `GET /ready` of the control API says it by itself. */
  readonly isReady: boolean
  /** Handles signals no more. A shutdown that has begun goes on. */
  [Symbol.dispose](): void
}

/** Kept for the exit: of the grace period, what is not given to the drain. */
const EXIT_SHARE = 0.1
const MAX_EXIT_MS = 1_000
/** A server that does not close, because a connection is held open, may not take the time of the drain. */
const SERVER_SHARE = 0.5
const EXIT_CODES: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

const ending = new WeakSet<Pipeline>()

/** Whether a signal has told the process to end, and this pipeline drains soon. */
export function isAboutToEnd(pipeline: Pipeline): boolean {
  return ending.has(pipeline)
}

/**
 * Ends the process as an orchestrator expects it. At the first signal: readiness is false at once, the server closes, the pipelines
 * drain, and the process exits within the grace period: with 0, or with 1 where a pipeline had failed. A second signal stops
 * the pipelines without draining, a third one exits at once.
 *
 * ```ts
 * const pipeline = await run(graph)
 * handleSignals(pipeline, { server: app, logger: app.log })
 * ```
 * @throws OPTIONS_INVALID with all problems
 */
export function handleSignals(given: Pipeline | readonly Pipeline[], options: SignalOptions = {}): SignalHandler {
  const { server, logger, exit, ...rest } = options
  const problems = validateOptions(rest, SIGNAL_OPTIONS)
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { problems })
  const pipelines = Array.isArray(given) ? (given as readonly Pipeline[]) : [given as Pipeline]
  const signals = options.signals ?? (['SIGTERM', 'SIGINT'] as const)
  const shutdown = new Shutdown(pipelines, {
    ...resolve(SIGNAL_OPTIONS, rest),
    server,
    logger,
    exit: exit ?? ((code) => process.exit(code)),
  })
  const listener = (signal: NodeJS.Signals): void => shutdown.onSignal(signal)
  for (const signal of signals) process.on(signal, listener)
  return {
    get isReady() {
      return shutdown.count === 0 && pipelines.every(({ state }) => state === 'running')
    },
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, listener)
    },
  }
}

interface ShutdownOptions {
  readonly server: Closable | undefined
  readonly logger: Logger | undefined
  readonly graceMs: number
  readonly delayMs: number
  readonly exit: (code: number) => void
}

class Shutdown {
  /** Signals so far. */
  count = 0
  readonly #pipelines: readonly Pipeline[]
  readonly #options: ShutdownOptions
  readonly #urged = new AbortController()
  #exitsAtMs = 0
  #isOver = false

  constructor(pipelines: readonly Pipeline[], options: ShutdownOptions) {
    this.#pipelines = pipelines
    this.#options = options
  }

  onSignal(signal: NodeJS.Signals): void {
    this.count++
    this.#options.logger?.info({ signal, count: this.count }, 'process.signal')
    if (this.count === 1) void this.#end()
    else if (this.count > 2) this.#exit(EXIT_CODES[signal] ?? 1)
    else {
      this.#urged.abort()
      for (const pipeline of this.#pipelines) pipeline.stop({ deadlineMs: this.#leftMs() }).catch(() => undefined)
    }
  }

  async #end(): Promise<void> {
    const { graceMs, delayMs, server } = this.#options
    const startedAtMs = monotonicMs()
    const reservedMs = Math.min(MAX_EXIT_MS, graceMs * EXIT_SHARE)
    this.#exitsAtMs = startedAtMs + graceMs - reservedMs
    // Whatever hangs: the process is gone before it is killed.
    setTimeout(() => this.#exit(1), graceMs - reservedMs / 2).unref()
    for (const pipeline of this.#pipelines) ending.add(pipeline)
    await this.#wait(Math.min(delayMs, this.#leftMs()))
    if (server !== undefined) await this.#close(server)
    const ends = await Promise.allSettled(this.#pipelines.map((pipeline) => this.#drain(pipeline)))
    this.#exit(ends.every(({ status }) => status === 'fulfilled') ? 0 : 1)
  }

  async #drain(pipeline: Pipeline): Promise<void> {
    const { logger } = this.#options
    try {
      const report = await pipeline.drain({ deadlineMs: this.#leftMs() })
      logger?.info({ pipeline: pipeline.name, report }, 'process.drained')
    } catch (err) {
      logger?.error({ pipeline: pipeline.name, err }, 'process.failed')
      throw err
    }
  }

  /** Closes the server; one that takes too long, or fails, does not keep the pipelines from draining. */
  async #close(server: Closable): Promise<void> {
    const closed = close(server).then(
      () => true,
      (err: unknown) => {
        this.#options.logger?.warn({ err }, 'process.serverNotClosed')
        return true
      },
    )
    const isClosed = await Promise.race([closed, this.#wait(this.#leftMs() * SERVER_SHARE).then(() => false)])
    if (!isClosed) this.#options.logger?.warn({}, 'process.serverNotClosed')
  }

  /** Waits, until a second signal at most. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#urged.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #leftMs(): number {
    return Math.max(1, Math.round(this.#exitsAtMs - monotonicMs()))
  }

  #exit(code: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#options.exit(code)
  }
}

/** A server of `node:http` says by a callback that it has closed, all others by a promise. */
async function close(server: Closable): Promise<void> {
  if (!('closeIdleConnections' in server)) return void (await server.close())
  await new Promise<void>((resolve, reject) =>
    server.close((error) => (error === undefined ? resolve() : reject(error))),
  )
}
