import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { validateOptions } from '../analysis/validate-options.ts'
import { MillraceError } from '../errors.ts'
import { CONTROL_OPTIONS, type Given, resolve } from '../options/index.ts'
import { printable } from '../shown.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import type { TraceSource } from '../trace/source.ts'
import { LIBRARY_VERSION } from '../version.ts'
import { CommandLimits } from './command-limit.ts'
import { guardOf, type Guard } from './auth.ts'
import { checker, textChecker } from './checker.ts'
import type { Endpoint } from './endpoint.ts'
import { sendError } from './errors.ts'
import { Log } from './log.ts'
import { sendUnknown } from './not-found.ts'
import { openApi } from './openapi.ts'
import { commands } from './resources/commands.ts'
import { analysis } from './resources/analysis.ts'
import { deadLetters } from './resources/dead-letters.ts'
import { events, Feeds } from './resources/events.ts'
import { figures } from './resources/figures.ts'
import { graph } from './resources/graph.ts'
import { health } from './resources/health.ts'
import { histograms } from './resources/histograms.ts'
import { imports, type Imports } from './resources/imports.ts'
import { lanes } from './resources/lanes.ts'
import { metrics } from './resources/metrics.ts'
import { document, page } from './resources/page.ts'
import { pipelineList } from './resources/pipelines.ts'
import { plan } from './resources/plan.ts'
import { records } from './resources/records.ts'
import { scaling } from './resources/scaling.ts'
import { stages } from './resources/stages.ts'
import { stats } from './resources/stats.ts'
import { traces } from './resources/traces.ts'
import { tracing } from './resources/tracing.ts'
import { whatIfs } from './resources/what-if.ts'
import type { Room } from './room.ts'
import { SECURITY_HEADERS } from './security-headers.ts'
import { Watchlist } from './watchlist.ts'

/** One pipeline, several, or several by the names they shall have here; a promise is a pipeline that starts. */
export type Pipelines = Pipeline | readonly Pipeline[] | Readonly<Record<string, Pipeline | Promise<Pipeline>>>

/** Options of the control API; `docs/options.md` says what each is for. */
export interface ControlOptions extends Given<typeof CONTROL_OPTIONS> {
  /** Where events of traced records are: a store, say. Questions about them are answered then. */
  readonly traces?: TraceSource
  /** Imports that serve, by the names that they shall have here: `ImportService` of `millrace/import`. The page gets a tab for them. */
  readonly imports?: Imports
}

/** What changes which pipelines an API shows, while it runs. */
export interface PipelineSet {
  /** Shows one more pipeline, or one that starts, under its own name or another one. @throws PIPELINE_NAME_TAKEN */
  add(pipeline: Pipeline, name?: string): void
  add(pipeline: Promise<Pipeline>, name: string): void
  /** Shows a pipeline no more. It goes on; whoever follows it is told no more. @throws PIPELINE_UNKNOWN */
  remove(name: string): void
}

/** A plugin of Fastify, to be registered under a prefix of its own. */
export interface ControlPlugin extends PipelineSet {
  (app: FastifyInstance): Promise<void>
}

/**
 * The control API of pipelines as a Fastify plugin: `app.register(control(pipeline, { token }), { prefix: '/millrace' })`.
 * The pipelines are only watched: they neither start nor end with the server.
 * @throws OPTIONS_INVALID with all problems
 */
export function control(given: Pipelines, options: ControlOptions = {}): ControlPlugin {
  const { traces: _, imports: __, ...checked } = options
  const problems = validateOptions(checked, CONTROL_OPTIONS)
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { problems })
  return plugin(given, options, { guard: guardOf(options), isWholeServer: false })
}

/** Where the plugin stands: what its server decides. */
export interface Place {
  readonly guard: Guard
  /** Nothing else answers there, so what is unknown is the plugin's to answer even without a prefix. */
  readonly isWholeServer: boolean
  /** The API of flows stands beside it: that describes itself, and answers what is unknown; the page has a tab for it. */
  readonly hasFlows?: boolean
}

export function plugin(given: Pipelines, options: ControlOptions, place: Place): ControlPlugin {
  const resolved = resolve(CONTROL_OPTIONS, options)
  const watchlist = new Watchlist(resolved)
  for (const [name, pipeline] of named(given)) watchlist.add(name, pipeline)
  const set: PipelineSet = {
    add: (pipeline: Pipeline | Promise<Pipeline>, name?: string) =>
      watchlist.add(name ?? (pipeline as Pipeline).name, pipeline),
    remove: (name) => watchlist.remove(name),
  }
  return Object.assign(routesOf(watchlist, resolved, options, place), set)
}

function routesOf(
  watchlist: Watchlist,
  resolved: Room['options'],
  options: ControlOptions,
  { guard, isWholeServer, hasFlows = false }: Place,
): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    const room: Room = {
      options: resolved,
      pipelines: watchlist,
      log: new Log(app.log),
      commands: new CommandLimits(resolved.commandsPerSecond),
    }
    const feeds = new Feeds()
    watchlist.listen({
      added: ({ events: log }) => void log.listen((event) => room.log.event(event)),
      removed: (watched) => feeds.end(watched),
    })
    const endpoints = [...endpointsOf(room, feeds), ...traces(room, options.traces), ...imports(options.imports ?? {})]
    const described = openApi(endpoints, {
      prefix: app.prefix,
      version: LIBRARY_VERSION,
      hasToken: resolved.token !== undefined,
    })
    const all = [...endpoints, ...(hasFlows ? [] : document(described)), ...(await page(hasFlows))]

    app.setErrorHandler(sendError)
    if (!hasFlows && (isWholeServer || app.prefix !== ''))
      app.setNotFoundHandler((request, reply) => sendUnknown(all, app.prefix, request, reply))
    app.addHook('onRequest', (_, reply, done) => {
      void reply.headers(SECURITY_HEADERS)
      done()
    })
    acceptJsonOnly(app)
    for (const endpoint of all) register(app, endpoint, room, guard)
    // Subscribers never end by themselves, and a server waits for its requests.
    app.addHook('preClose', (done) => {
      feeds.close()
      done()
    })
    app.addHook('onClose', (_, done) => {
      for (const watched of room.pipelines.values()) watched.close()
      done()
    })
  }
}

function endpointsOf(room: Room, feeds: Feeds): readonly Endpoint[] {
  return [
    ...health(room),
    ...metrics(room),
    ...pipelineList(room),
    ...graph(room),
    ...plan(room),
    ...stages(room),
    ...scaling(room),
    ...figures(),
    ...stats(room),
    ...lanes(room),
    ...histograms(room),
    ...analysis(room),
    ...whatIfs(room),
    ...events(room, feeds),
    ...deadLetters(room),
    ...commands(room),
    ...records(room),
    ...tracing(room),
  ]
}

function named(given: Pipelines): readonly (readonly [string, Pipeline | Promise<Pipeline>])[] {
  if (Array.isArray(given)) return (given as readonly Pipeline[]).map((pipeline) => [pipeline.name, pipeline])
  if ('snapshot' in given && typeof given.snapshot === 'function')
    return [[(given as Pipeline).name, given as Pipeline]]
  return Object.entries(given as Readonly<Record<string, Pipeline>>)
}

function acceptJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, text, done) => {
    if (text === '') return done(null, undefined)
    try {
      done(null, JSON.parse(text as string))
    } catch (error) {
      done(new MillraceError('BODY_NOT_JSON', { reason: String(error) }))
    }
  })
}

function register(app: FastifyInstance, endpoint: Endpoint, room: Room, guard: Guard): void {
  const { method, path, access, status, handle, body } = endpoint
  const params = textChecker('address', endpoint.params)
  const query = textChecker('query', endpoint.query)
  const given = body === undefined ? () => undefined : checker('body', body)
  app.route({
    method,
    url: path,
    bodyLimit: room.options.maxBodyBytes,
    exposeHeadRoute: endpoint.answer !== 'text/event-stream',
    onRequest: (request, _, done) => {
      guard(request.headers, access)
      if (access === 'command') room.commands.take(`${method} ${path}`, pipelineOf(request, room))
      done()
    },
    handler: async (request, reply) => {
      const call = {
        params: params(request.params),
        query: query(request.query),
        body: given(request.body ?? {}),
        request,
        reply,
      }
      void reply.code(status)
      return handle(call)
    },
    ...(access === 'command' ? { onSend: loggedCommand(`${method} ${path}`, room.log) } : {}),
    // Answers are made here, field by field: there is nothing to strip, and a wrong type must not become a 500.
    serializerCompiler: () => (data) => printable(JSON.stringify(data)),
  })
}

/** The pipeline that a command is for; empty if there is none. */
function pipelineOf({ params }: FastifyRequest, { pipelines }: Room): string {
  const { pipeline = '' } = params as { pipeline?: string }
  return pipelines.has(pipeline) ? pipeline : ''
}

/** Every command is logged with the client and the status, also those that were refused. */
function loggedCommand(command: string, log: Log) {
  return (
    request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    done: (e: null, p: unknown) => void,
  ): void => {
    const { statusCode: status } = reply
    // Of those that come too fast there may be any number.
    const level = status < 400 ? 'info' : status === 429 ? 'debug' : 'warn'
    log.write(level, 'command', { command, params: request.params, from: request.ip, status })
    done(null, payload)
  }
}
