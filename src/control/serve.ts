import type { AddressInfo, Socket } from 'node:net'
import { fastify, type FastifyInstance, LogController } from 'fastify'
import { validateOptions } from '../analysis/validate-options.ts'
import { MillraceError } from '../errors.ts'
import { CONTROL_OPTIONS, resolve, SERVE_OPTIONS } from '../options.ts'
import { guardOf, isLoopback } from './auth.ts'
import { type ControlOptions, type Pipelines, plugin } from './control.ts'
import { answerOf, sendError } from './errors.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

/** Options of the control API as a server; `docs/options.md` says what each is for. */
export interface ServeOptions extends ControlOptions {
  readonly host?: string
  readonly port?: number
  /** True: logs to stdout, as pino does; or a pino of one's own. */
  readonly logger?: boolean | FastifyInstance['log']
}

export interface ControlServer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly url: string
  /** Ends all readers and the server; the pipelines go on. */
  close(): Promise<void>
}

/** A request has to have come in within this time; an answer may take as long as it likes. */
const REQUEST_TIMEOUT_MS = 10_000
const MAX_HEADER_BYTES = 16_384

/**
 * The control API of pipelines as a server of its own.
 * @throws OPTIONS_INVALID with all problems, ADDRESS_NEEDS_TOKEN, CONTROL_NOT_LISTENING
 */
export async function serveControl(pipelines: Pipelines, options: ServeOptions = {}): Promise<ControlServer> {
  const { logger = false, ...given } = options
  const problems = validateOptions(given, { ...CONTROL_OPTIONS, ...SERVE_OPTIONS })
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { problems })
  const { host, port, token } = resolve({ ...CONTROL_OPTIONS, ...SERVE_OPTIONS }, given)
  const isLocal = isLoopback(host)
  if (!isLocal && (token ?? '') === '') throw new MillraceError('ADDRESS_NEEDS_TOKEN', { host })
  const app = fastify({
    ...(typeof logger === 'boolean' ? { logger } : { loggerInstance: logger }),
    http: { maxHeaderSize: MAX_HEADER_BYTES },
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1_000 },
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: (error, request, reply) => {
      void reply.headers(SECURITY_HEADERS)
      sendError(error, request, reply)
    },
    clientErrorHandler: refuse,
  })
  await app.register(plugin(pipelines, given, { guard: guardOf(token, isLocal), isWholeServer: true }))
  try {
    await app.listen({ host, port })
  } catch (cause) {
    await app.close()
    throw new MillraceError('CONTROL_NOT_LISTENING', { host, port, reason: String(cause) }, { cause })
  }
  const address = app.server.address() as AddressInfo
  const close = async (): Promise<void> => app.close()
  return {
    host,
    port: address.port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** What is no HTTP, or too much of it, is answered in the one shape as well, and the connection closed. */
function refuse(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const isFlood = error.code === 'HPE_HEADER_OVERFLOW'
  const status = isFlood ? '431 Request Header Fields Too Large' : '400 Bad Request'
  const body = JSON.stringify(answerOf(new MillraceError(isFlood ? 'HEADERS_TOO_LARGE' : 'REQUEST_INVALID')))
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
