import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type Endpoint, endpoint } from '../control/endpoint.ts'
import { GraphAnswer } from '../control/resources/graph.ts'
import { MillraceError } from '../errors.ts'
import type { FlowRequest } from '../flow/index.ts'
import { graphToJson } from '../graph/json.ts'
import { toMermaid } from '../render/mermaid.ts'
import { toDot } from '../render/dot.ts'
import { within } from '../running-time.ts'
import { bodyOf, sendAnswer } from './bodies.ts'
import type { Callbacks } from './callbacks.ts'
import { preferenceOf } from './preference.ts'
import { type ServedFlow, flowGraph, flowView, listedRequests } from './served-flow.ts'
import { FlowAnswer, FlowList, RequestAnswer, RequestList, StateOfRequest } from './schemas.ts'
import { NDJSON, streamChanges, streamItems } from './streams.ts'
import { requestView } from './views.ts'

/** What all routes look at. */
interface FlowRoom {
  readonly flows: ReadonlyMap<string, ServedFlow>
  readonly showErrors: boolean
  readonly callbacks: Callbacks
  /** Where the routes are mounted. */
  readonly prefix: string
}

const FLOW = { flow: Type.String({ description: 'Name of the flow.', examples: ['kyc'] }) }
const REQUEST = { ...FLOW, request: Type.String({ description: 'Id of the request.' }) }
const MAX_ID = 200
const WAIT_MS = 60_000

export function flowRoutes(room: FlowRoom): readonly Endpoint[] {
  return [...definitions(room), ...asking(room), ...telling(room), ...following(room)]
}

function definitions(room: FlowRoom): readonly Endpoint[] {
  return [
    endpoint('GET /flows', {
      tag: 'flows',
      summary: 'Lists all flows.',
      answer: FlowList,
      handle: async () => ({ flows: await Promise.all([...room.flows.values()].map(flowView)) }),
    }),
    endpoint('GET /flows/:flow', {
      tag: 'flows',
      summary: 'Returns one flow.',
      params: FLOW,
      answer: FlowAnswer,
      errors: ['FLOW_UNKNOWN'],
      handle: ({ params }) => flowView(flowOf(room, params.flow)),
    }),
    endpoint('GET /flows/:flow/graph', {
      tag: 'flows',
      summary: 'Returns the graph of a flow as JSON.',
      params: FLOW,
      answer: GraphAnswer,
      errors: ['FLOW_UNKNOWN'],
      handle: ({ params }) => graphToJson(flowGraph(flowOf(room, params.flow))),
    }),
    endpoint('GET /flows/:flow/drawing', {
      tag: 'flows',
      summary: 'Draws a flow as DOT or Mermaid text.',
      params: FLOW,
      query: { format: Type.Optional(Type.Enum(['dot', 'mermaid'])) },
      answer: 'text/plain',
      errors: ['FLOW_UNKNOWN'],
      handle: ({ params, query, reply }) => {
        const graph = flowGraph(flowOf(room, params.flow))
        return reply
          .type('text/plain; charset=utf-8')
          .send(query.format === 'mermaid' ? toMermaid(graph) : toDot(graph))
      },
    }),
  ]
}

function asking(room: FlowRoom): readonly Endpoint[] {
  return [
    endpoint('POST /flows/:flow', {
      tag: 'requests',
      summary:
        'Runs a request and returns the answer of its last step, or 202 after the time in the header `Prefer`. As NDJSON: the answers of its items as they arrive, then its answer.',
      params: FLOW,
      query: { timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400_000 })) },
      body: Type.Unknown({ description: 'The input: JSON, a text, or bytes.' }),
      answer: Type.Unknown({
        description: 'The answer: JSON, a text, or bytes; 204 if the last step returns nothing.',
      }),
      errors: [
        'FLOW_UNKNOWN',
        'KEY_REUSED',
        'REQUEST_FAILED',
        'REQUEST_STOPPED',
        'REQUEST_TIMED_OUT',
        'PIPELINE_NOT_RUNNING',
        'FLOW_STORE_UNUSABLE',
        'FLOW_TAKES_NO_REQUESTS',
        'STEPS_NOT_KEPT',
        'CALLBACK_REFUSED',
      ],
      handle: async ({ params, query, request, reply }) => {
        const flow = flowOf(room, params.flow)
        const { bytes, input } = bodyOf(request.body)
        const id = idOf(request)
        // Nobody can send a second one where the id is not theirs.
        const own = id === undefined ? {} : { id, hash: hashOf(request.headers['content-type'] ?? '', bytes) }
        const callback = room.callbacks.of(request.headers)
        const asked = flow.start(input, { ...own, ...callback, ...query })
        room.callbacks.follow(asked)
        return accepts(request, NDJSON)
          ? streamItems(asked, reply, room.showErrors)
          : answer(room, asked, request, reply)
      },
    }),
  ]
}

function telling(room: FlowRoom): readonly Endpoint[] {
  return [
    endpoint('POST /flows/:flow/requests/:request/stop', {
      tag: 'requests',
      summary: 'Stops a request. Answers when nothing of it is left.',
      params: REQUEST,
      answer: RequestAnswer,
      errors: ['FLOW_UNKNOWN', 'REQUEST_UNKNOWN', 'REQUEST_ENDED'],
      handle: ({ params }) => stop(room, params),
    }),
    ...(['pause', 'resume'] as const).map((change) =>
      endpoint(`POST /flows/:flow/requests/:request/${change}`, {
        tag: 'requests',
        summary:
          change === 'pause'
            ? 'Pauses a request. No further step of it is called; running steps go on to their ends.'
            : 'Resumes a paused request.',
        params: REQUEST,
        answer: RequestAnswer,
        errors: ['FLOW_UNKNOWN', 'REQUEST_UNKNOWN', 'REQUEST_ENDED', 'STEPS_NOT_KEPT'],
        handle: async ({ params }) => {
          const request = await requestOf(room, params)
          await flowOf(room, params.flow)[change](params.request)
          return requestView(request.view(), room.showErrors)
        },
      }),
    ),
    endpoint('POST /flows/:flow/requests/:request/replay', {
      tag: 'requests',
      summary: 'Replays an ended request as a new one, which continues where it failed.',
      params: REQUEST,
      answer: RequestAnswer,
      status: 202,
      errors: ['FLOW_UNKNOWN', 'REQUEST_UNKNOWN', 'REQUEST_OPEN', 'STEPS_NOT_KEPT', 'KEY_REUSED'],
      handle: async ({ params, request, reply }) => {
        const id = idOf(request)
        const asked = await flowOf(room, params.flow).replay(params.request, id === undefined ? {} : { id })
        await asked.saved
        void reply.header('x-request-id', asked.id).header('location', addressOf(room, params.flow, asked.id))
        return requestView(asked.view(), room.showErrors)
      },
    }),
    endpoint('DELETE /flows/:flow/requests/:request', {
      tag: 'requests',
      summary: 'Stops a request, as `POST …/stop` does.',
      params: REQUEST,
      answer: RequestAnswer,
      errors: ['FLOW_UNKNOWN', 'REQUEST_UNKNOWN', 'REQUEST_ENDED'],
      handle: ({ params }) => stop(room, params),
    }),
  ]
}

function following(room: FlowRoom): readonly Endpoint[] {
  return [
    endpoint('GET /flows/:flow/requests', {
      tag: 'requests',
      summary: 'Lists open requests and the last ended ones, newest first.',
      params: FLOW,
      query: {
        state: Type.Optional(StateOfRequest),
        from: Type.Optional(Type.String({ format: 'date-time', description: 'Created at this time or later.' })),
        to: Type.Optional(Type.String({ format: 'date-time', description: 'Created before this time.' })),
        page: Type.Optional(Type.Integer({ minimum: 1 })),
        pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
      },
      answer: RequestList,
      errors: ['FLOW_UNKNOWN'],
      handle: async ({ params, query }): Promise<RequestList> => {
        const { state, page = 1, pageSize = 100 } = query
        const [from, to] = [timeOf('from', query.from), timeOf('to', query.to)]
        const range = { limit: pageSize, offset: (page - 1) * pageSize }
        const { views, total } = await listedRequests(flowOf(room, params.flow), { state, from, to }, range)
        const requests = views.map((view) => requestView(view, room.showErrors, true))
        return { requests, total, page, pages: Math.ceil(total / pageSize) }
      },
    }),
    endpoint('GET /flows/:flow/requests/:request', {
      tag: 'requests',
      summary:
        'Returns a request. With `wait`: when it has ended or the time is over. As server-sent events: each change. As NDJSON: the answers of its items as they arrive, then its answer.',
      params: REQUEST,
      query: {
        wait: Type.Optional(
          Type.Integer({ minimum: 0, maximum: WAIT_MS, description: 'Milliseconds to wait for its end.' }),
        ),
      },
      answer: RequestAnswer,
      errors: ['FLOW_UNKNOWN', 'REQUEST_UNKNOWN'],
      handle: async ({ params, query, request, reply }) => {
        const found = await requestOf(room, params)
        if (accepts(request, 'text/event-stream')) return streamChanges(found, reply, room.showErrors)
        if (accepts(request, NDJSON)) return streamItems(found, reply, room.showErrors)
        if (query.wait !== undefined) await within(query.wait, found.ended)
        return requestView(found.view(), room.showErrors)
      },
    }),
  ]
}

async function answer(
  room: FlowRoom,
  asked: FlowRequest,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { waitMs, applied } = preferenceOf(headers)
  void reply.header('x-request-id', asked.id)
  if (applied !== undefined) void reply.header('preference-applied', applied)
  // A failure that nobody waits for any more is in the request's view.
  const outcome = asked.answer.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  const came = waitMs === Infinity ? await outcome : waitMs === 0 ? undefined : await within(waitMs, outcome)
  if (came === undefined) {
    // Whoever is told that it is taken may rely on it.
    await asked.saved
    void reply.code(202).header('location', addressOf(room, asked.view().flow, asked.id))
    return requestView(asked.view(), room.showErrors)
  }
  if ('error' in came) throw shownError(came.error, room.showErrors)
  return sendAnswer(reply, came.value)
}

function addressOf({ prefix }: FlowRoom, flow: string, request: string): string {
  return `${prefix}/flows/${encodeURIComponent(flow)}/requests/${encodeURIComponent(request)}`
}

/** What a step said may quote what was asked. */
function shownError(error: unknown, showErrors: boolean): unknown {
  if (showErrors || !(error instanceof MillraceError) || error.code !== 'REQUEST_FAILED') return error
  const { reason: _, ...detail } = error.detail
  return new MillraceError(error.code, detail)
}

async function stop(room: FlowRoom, place: Readonly<Record<'flow' | 'request', string>>): Promise<RequestAnswer> {
  const request = await requestOf(room, place)
  if (!request.isOpen) throw new MillraceError('REQUEST_ENDED', { request: place.request, state: request.state })
  await flowOf(room, place.flow).stop(place.request)
  return requestView(request.view(), room.showErrors)
}

function accepts({ headers }: FastifyRequest, type: string): boolean {
  return headers.accept?.includes(type) === true
}

function flowOf({ flows }: FlowRoom, name: string): ServedFlow {
  const found = flows.get(name)
  if (found === undefined) throw new MillraceError('FLOW_UNKNOWN', { flow: name })
  return found
}

async function requestOf(
  room: FlowRoom,
  { flow, request: id }: Readonly<Record<'flow' | 'request', string>>,
): Promise<FlowRequest> {
  const found = await flowOf(room, flow).get(id)
  if (found === undefined) throw new MillraceError('REQUEST_UNKNOWN', { request: id })
  return found
}

/** What a second request with the same id has to be the same in. */
function hashOf(type: string, bytes: Buffer): string {
  return createHash('sha256').update(type).update('\n').update(bytes).digest('hex')
}

/** The id that whoever asks gives to the request. */
function idOf({ headers }: FastifyRequest): string | undefined {
  const id = headers['idempotency-key'] ?? headers['x-request-id']
  if (id === undefined) return undefined
  if (typeof id === 'string' && id !== '' && id.length <= MAX_ID) return id
  throw new MillraceError('REQUEST_INVALID', { reason: `an id has 1 to ${MAX_ID} characters` })
}

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new MillraceError('REQUEST_INVALID', { reason: `query/${name} is no time` })
  return time
}
