import { readFile } from 'node:fs/promises'
import { Compile } from 'typebox/compile'
import { Convert } from 'typebox/value'
import { validateOptions } from '../analysis/validate-options.js'
import { MillraceError } from '../errors.js'
import { CONTROL_OPTIONS, resolve } from '../options.js'
import { ActLimit } from './act-limit.js'
import { guardOf } from './auth.js'
import { sendError } from './errors.js'
import { Log } from './log.js'
import { sendUnknown } from './not-found.js'
import { openApi } from './openapi.js'
import { acts } from './resources/acts.js'
import { analysis } from './resources/analysis.js'
import { deadLetters } from './resources/dead-letters.js'
import { events, Feeds } from './resources/events.js'
import { graph } from './resources/graph.js'
import { health } from './resources/health.js'
import { histograms } from './resources/histograms.js'
import { lanes } from './resources/lanes.js'
import { metrics } from './resources/metrics.js'
import { document, page } from './resources/page.js'
import { pipelines } from './resources/pipelines.js'
import { plan } from './resources/plan.js'
import { records } from './resources/records.js'
import { stages } from './resources/stages.js'
import { stats } from './resources/stats.js'
import { SECURITY_HEADERS } from './security-headers.js'
import { Watched } from './watched.js'
/**
 * The control API of pipelines as a Fastify plugin: `app.register(control(pipeline, { token }), { prefix: '/millrace' })`.
 * The pipelines are only watched: they neither start nor end with the server.
 * @throws OPTIONS_INVALID with all problems
 */
export function control(given, options = {}) {
  const problems = validateOptions(options, CONTROL_OPTIONS)
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { problems })
  return plugin(given, options, { guard: guardOf(options.token, false), isWholeServer: false })
}
export function plugin(given, options, { guard, isWholeServer }) {
  return async (app) => {
    const resolved = resolve(CONTROL_OPTIONS, options)
    const room = {
      options: resolved,
      pipelines: new Map(named(given).map(([name, pipeline]) => [name, new Watched(name, pipeline, resolved)])),
      log: new Log(app.log),
      acts: new ActLimit(resolved.actsPerSecond),
    }
    const feeds = new Feeds()
    for (const { events: log } of room.pipelines.values()) log.listen((event) => room.log.event(event))
    const endpoints = endpointsOf(room, feeds)
    const described = openApi(endpoints, {
      prefix: app.prefix,
      version: await version(),
      hasToken: resolved.token !== undefined,
    })
    const all = [...endpoints, ...document(described), ...(await page())]
    app.setErrorHandler(sendError)
    if (isWholeServer || app.prefix !== '')
      app.setNotFoundHandler((request, reply) => sendUnknown(all, app.prefix, request, reply))
    app.addHook('onRequest', (_, reply, done) => {
      void reply.headers(SECURITY_HEADERS)
      done()
    })
    acceptJsonOnly(app)
    for (const endpoint of all) register(app, endpoint, room, guard)
    // Readers never end by themselves, and a server waits for its requests.
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
function endpointsOf(room, feeds) {
  return [
    ...health(room),
    ...metrics(room),
    ...pipelines(room),
    ...graph(room),
    ...plan(room),
    ...stages(room),
    ...stats(room),
    ...lanes(room),
    ...histograms(room),
    ...analysis(room),
    ...events(room, feeds),
    ...deadLetters(room),
    ...acts(room),
    ...records(room),
  ]
}
function named(given) {
  if (Array.isArray(given)) return given.map((pipeline) => [pipeline.name, pipeline])
  if ('snapshot' in given && typeof given.snapshot === 'function') return [[given.name, given]]
  return Object.entries(given)
}
function acceptJsonOnly(app) {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, text, done) => {
    if (text === '') return done(null, undefined)
    try {
      done(null, JSON.parse(text))
    } catch (error) {
      done(new MillraceError('BODY_NOT_JSON', { reason: String(error) }))
    }
  })
}
function register(app, endpoint, room, guard) {
  const { method, path, access, status, handle, body } = endpoint
  const params = checker('address', endpoint.params)
  const query = checker('query', endpoint.query)
  const given = body === undefined ? () => undefined : checker('body', body)
  app.route({
    method,
    url: path,
    bodyLimit: room.options.maxBodyBytes,
    exposeHeadRoute: endpoint.answer !== 'text/event-stream',
    onRequest: (request, _, done) => {
      guard(request.headers, access)
      if (access === 'act') room.acts.take()
      done()
    },
    handler: async (request, reply) => {
      const call = {
        params: params(request.params, true),
        query: query(request.query, true),
        body: given(request.body ?? {}, false),
        request,
        reply,
      }
      void reply.code(status)
      const answer = await handle(call)
      if (access === 'act') {
        const details = { act: `${method} ${path}`, params: call.params, from: request.ip, status: reply.statusCode }
        room.log.write('info', 'act', details)
      }
      return answer
    },
    // Answers are made here, field by field: there is nothing to strip, and a wrong type must not become a 500.
    serializerCompiler: () => (data) => JSON.stringify(data),
  })
}
/** Checks a part of a request. Texts of an address become numbers and booleans; those of a body stay what they are. */
function checker(place, schema) {
  const compiled = Compile(schema)
  return (given, areTexts) => {
    const value = areTexts ? Convert(schema, { ...given }) : given
    if (compiled.Check(value)) return value
    const faults = [...compiled.Errors(value)].map(({ instancePath, message }) => `${place}${instancePath} ${message}`)
    throw new MillraceError('REQUEST_INVALID', { reason: faults.slice(0, 5).join('; ') })
  }
}
async function version() {
  const file = new URL('../../package.json', import.meta.url)
  return JSON.parse(await readFile(file, 'utf8')).version
}
