import type { FastifyInstance } from 'fastify'
import { validateOptions } from '../analysis/validate-options.ts'
import { guardOf } from '../control/auth.ts'
import { plugin } from '../control/control.ts'
import { textChecker } from '../control/checker.ts'
import type { Endpoint } from '../control/endpoint.ts'
import { sendError } from '../control/errors.ts'
import { sendUnknown } from '../control/not-found.ts'
import { openApi } from '../control/openapi.ts'
import { SECURITY_HEADERS } from '../control/security-headers.ts'
import { MillraceError } from '../errors.ts'
import { FLOW_SERVER_OPTIONS, type Given, resolve } from '../options/index.ts'
import { printable } from '../shown.ts'
import { LIBRARY_VERSION } from '../version.ts'
import { acceptAnyBody } from './bodies.ts'
import { Callbacks } from './callbacks.ts'
import { flowRoutes } from './routes.ts'
import type { ServedFlow } from './served-flow.ts'

/** Options of the HTTP API of flows. */
export interface FlowApiOptions extends Given<typeof FLOW_SERVER_OPTIONS> {}

/**
 * The HTTP API of running flows as a Fastify plugin: `app.register(flowApi([kyc], { token }), { prefix: '/api' })`. The flows neither
 * start nor end with the server.
 * @throws OPTIONS_INVALID with all problems
 */
export function flowApi(
  flows: readonly ServedFlow[],
  options: FlowApiOptions = {},
): (app: FastifyInstance) => Promise<void> {
  return mounted(flows, options, false)
}

/** @param isWholeServer nothing else answers there */
export function mounted(
  flows: readonly ServedFlow[],
  options: FlowApiOptions,
  isWholeServer: boolean,
): (app: FastifyInstance) => Promise<void> {
  const problems = validateOptions(options, FLOW_SERVER_OPTIONS)
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { problems })
  const {
    maxBodyBytes,
    showErrors,
    token,
    page,
    hosts,
    callbackHosts = [],
    callbackSecret,
  } = resolve(FLOW_SERVER_OPTIONS, options)
  const guard = guardOf(options)
  return async (app) => {
    const byName = new Map(flows.map((flow) => [flow.name, flow]))
    const callbacks = new Callbacks({ callbackHosts, callbackSecret, showErrors })
    // Those that an earlier process has left open. Where others share the store, they may follow them already.
    for (const flow of flows) {
      if ('role' in flow) continue
      for (const { id, endedAt } of flow.list({ limit: Infinity }))
        if (endedAt === undefined) callbacks.follow(flow.get(id)!)
    }
    app.addHook('onClose', (_, done) => {
      callbacks.close()
      done()
    })
    const routes = flowRoutes({ flows: byName, showErrors, callbacks, prefix: app.prefix })
    const described = openApi(routes, {
      prefix: app.prefix,
      version: LIBRARY_VERSION,
      hasToken: token !== undefined,
      title: 'Millrace flows',
      description: 'Send requests to flows, and follow, list and stop them.',
    })
    app.setErrorHandler(sendError)
    if (isWholeServer || app.prefix !== '')
      app.setNotFoundHandler((request, reply) => sendUnknown(routes, app.prefix, request, reply))
    app.addHook('onRequest', (_, reply, done) => {
      void reply.headers(SECURITY_HEADERS)
      done()
    })
    if (page) {
      const shared = { showRecords: showErrors, ...(token === undefined ? {} : { token }), ...(hosts && { hosts }) }
      const pipelines = flows.flatMap(({ pipeline }) => pipeline ?? [])
      await app.register(plugin(pipelines, shared, { guard, isWholeServer: false, hasFlows: true }))
    }
    acceptAnyBody(app)
    app.get('/openapi.json', () => described)
    for (const route of routes) {
      register(app, route, maxBodyBytes, (request) => guard(request.headers, route.access))
    }
  }
}

function register(
  app: FastifyInstance,
  { method, path, status, handle, ...route }: Endpoint,
  bodyLimit: number,
  guard: (request: { readonly headers: Record<string, string | string[] | undefined> }) => void,
): void {
  const params = textChecker('address', route.params)
  const query = textChecker('query', route.query)
  app.route({
    method,
    url: path,
    bodyLimit,
    exposeHeadRoute: false,
    onRequest: (request, _, done) => {
      guard(request)
      done()
    },
    handler: async (request, reply) => {
      void reply.code(status)
      const call = { params: params(request.params), query: query(request.query), body: undefined, request, reply }
      return handle(call)
    },
    serializerCompiler: () => (data) => printable(JSON.stringify(data)),
  })
}
