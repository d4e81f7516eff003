import type { ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { fastify, type FastifyInstance, LogController } from 'fastify'
import { validateOptions } from '../analysis/validate-options.ts'
import { type ErrorCode, MillraceError } from '../errors.ts'
import { CONTROL_OPTIONS, type Given, resolve, SERVE_OPTIONS } from '../options/index.ts'
import { setTimeout } from '../time.ts'
import { guardOf, isLoopback } from './auth.ts'
import { type ControlOptions, type Pipelines, type PipelineSet, plugin } from './control.ts'
import { answerOf, sendError } from './errors.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

/** Where a server listens, and what it logs. */
export interface Listening extends Omit<Given<typeof SERVE_OPTIONS>, 'logger'> {
  /** True: logs to stdout, as pino does; or a pino of one's own. */
  readonly logger?: boolean | FastifyInstance['log']
}

/** Options of the control API as a server; `docs/options.md` says what each is for. */
export interface ServeOptions extends ControlOptions, Listening {}

/** A server for the control API of pipelines, which come and go as they like. */
export interface ControlServer extends AppServer, PipelineSet {}

/** A server that listens. */
export interface AppServer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly url: string
  /** Ends all subscribers and the server; the pipelines go on. */
  close(): Promise<void>
}

/** A request has to have come in within this time; an answer may take as long as it likes. */
const REQUEST_TIMEOUT_MS = 10_000
const CHECK_MS = 2_000
/** A connection over which nothing goes, in neither direction, is closed. Subscribers of events get something every 15 s. */
const SILENT_MS = 120_000
/** Who was told that the connection ends has so long to end it. */
const ENDING_MS = 2_000
const MAX_HEADER_BYTES = 16_384

/**
 * The control API of pipelines as a server of its own.
 * @throws OPTIONS_INVALID with all problems, ADDRESS_NEEDS_TOKEN, CONTROL_NOT_LISTENING
 */
export async function serveControl(pipelines: Pipelines, options: ServeOptions = {}): Promise<ControlServer> {
  const { traces: _, imports: __, ...checked } = options
  const problems = validateOptions(checked, { ...CONTROL_OPTIONS, ...SERVE_OPTIONS })
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { problems })
  const routes = plugin(pipelines, options, { guard: guardOf(options), isWholeServer: true })
  const server = await serveApp(options, routes)
  const add = routes.add.bind(routes)
  return { ...server, add, remove: (name) => routes.remove(name) }
}

/**
 * Routes as a server of their own, whose every answer is in the one shape.
 * @throws ADDRESS_NEEDS_TOKEN, CONTROL_NOT_LISTENING
 */
export async function serveApp(
  options: Listening & { readonly token?: string },
  routes: (app: FastifyInstance) => Promise<void>,
): Promise<AppServer> {
  const { logger = SERVE_OPTIONS.logger.default, token } = options
  const { host, port } = resolve(SERVE_OPTIONS, options)
  const isLocal = isLoopback(host)
  if (!isLocal && (token ?? '') === '') throw new MillraceError('ADDRESS_NEEDS_TOKEN', { host })
  const app = fastify({
    ...(typeof logger === 'boolean' ? { logger } : { loggerInstance: logger }),
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      // Its absence is answered below, in the one shape.
      requireHostHeader: false,
      connectionsCheckingInterval: CHECK_MS,
    },
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: SILENT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1_000 },
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: (error, request, reply) => {
      void reply.headers(SECURITY_HEADERS)
      sendError(error, request, reply)
    },
    clientErrorHandler: refuse,
  })
  answerOddities(app)
  await app.register(routes)
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

/** What Node would answer by itself, with an empty body or not at all. */
function answerOddities(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers(SECURITY_HEADERS)
    const hasHost = request.headers.host !== undefined || request.raw.httpVersion === '1.0'
    done(hasHost ? undefined : new MillraceError('REQUEST_INVALID', { reason: 'no host header' }))
  })
  app.server.on('checkExpectation', (_, response: ServerResponse) => {
    const { headers, body } = failure('REQUEST_INVALID')
    response.writeHead(417, headers).end(body)
  })
  app.server.on('connect', (_, socket: Duplex) => endWith(socket, '405 Method Not Allowed', 'METHOD_NOT_ALLOWED'))
}

/** What is no HTTP, too much of it, or too slow is answered in the one shape as well, and the connection closed. */
function refuse(error: Error & { code?: string; rawPacket?: unknown }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  // Who asks for the head of an answer takes a body for the next answer.
  const { rawPacket } = error
  const wantsBody = !(Buffer.isBuffer(rawPacket) && rawPacket.toString('latin1', 0, 5) === 'HEAD ')
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return endWith(socket, '431 Request Header Fields Too Large', 'HEADERS_TOO_LARGE', wantsBody)
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return endWith(socket, '408 Request Timeout', 'REQUEST_TOO_SLOW')
  endWith(socket, '400 Bad Request', 'REQUEST_INVALID', wantsBody)
}

function endWith(socket: Duplex, status: string, code: ErrorCode, wantsBody = true): void {
  const { headers, body } = failure(code)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('\r\n')}\r\n\r\n${wantsBody ? body : ''}`)
  // The other side may never end its own: at once, and what it has sent meanwhile would cost it the answer.
  setTimeout(() => socket.destroy(), ENDING_MS).unref()
}

function failure(code: ErrorCode): { headers: Record<string, string>; body: string } {
  const body = JSON.stringify(answerOf(new MillraceError(code)))
  const length = String(Buffer.byteLength(body))
  const type = 'application/json'
  return { headers: { ...SECURITY_HEADERS, 'content-type': type, 'content-length': length, connection: 'close' }, body }
}
