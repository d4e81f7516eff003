import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { ERROR_CODES, type ErrorCode, MillraceError } from '../errors.ts'
import { printable, shown } from '../shown.ts'

/** What an answer says of one detail. */
const DETAIL_BYTES = 200

/** The one shape of every answer that is no success. */
export const ErrorAnswer = Type.Object(
  {
    error: Type.Object({
      code: Type.String({ description: 'Stable error code, as listed in `docs/errors.md`.' }),
      message: Type.String(),
      fix: Type.Optional(Type.String({ description: 'How to fix it.' })),
    }),
  },
  {
    examples: [
      {
        error: {
          code: 'NODE_UNKNOWN',
          message: 'The graph has no node with this id. (node: parse)',
          fix: 'Use the id exactly as the graph spells it.',
        },
      },
    ],
  },
)
export type ErrorAnswer = Type.Static<typeof ErrorAnswer>

/** The status of each failure that a request can meet. Any other code is a fault of ours: 500. */
export const STATUSES: Readonly<Partial<Record<ErrorCode, number>>> = {
  REQUEST_INVALID: 400,
  BODY_NOT_JSON: 400,
  VIEW_INVALID: 400,
  THEME_UNKNOWN: 400,
  TOKEN_MISSING: 401,
  TOKEN_WRONG: 401,
  ORIGIN_REFUSED: 403,
  CALLBACK_REFUSED: 403,
  ADDRESS_UNKNOWN: 404,
  PIPELINE_UNKNOWN: 404,
  IMPORT_UNKNOWN: 404,
  NODE_UNKNOWN: 404,
  WORKER_UNKNOWN: 404,
  HISTOGRAM_UNKNOWN: 404,
  DEAD_LETTER_UNKNOWN: 404,
  RECEIPT_UNKNOWN: 404,
  TRACE_UNKNOWN: 404,
  FLOW_UNKNOWN: 404,
  REQUEST_UNKNOWN: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TOO_SLOW: 408,
  PIPELINE_NOT_RUNNING: 409,
  NODE_NOT_SOURCE: 409,
  NODE_NOT_PUSHED: 409,
  RESIZE_REFUSED: 409,
  PROBE_REFUSED: 409,
  INJECT_OFF: 409,
  TRACING_OFF: 409,
  DEAD_LETTER_EMPTY: 409,
  KEY_REUSED: 409,
  REQUEST_ENDED: 409,
  REQUEST_OPEN: 409,
  STEPS_NOT_KEPT: 409,
  REQUEST_STOPPED: 409,
  FLOW_TAKES_NO_REQUESTS: 409,
  BODY_TOO_LARGE: 413,
  RECORD_NOT_ENCODABLE: 422,
  RECORD_TOO_DEEP: 422,
  RECORD_TOO_LARGE: 422,
  COMMANDS_TOO_FAST: 429,
  RECORDS_WAITING: 429,
  HEADERS_TOO_LARGE: 431,
  SVG_RENDERER_MISSING: 501,
  SVG_NOT_DRAWN: 422,
  REQUEST_FAILED: 500,
  FLOW_STORE_UNUSABLE: 503,
  PIPELINE_STARTING: 503,
  START_FAILED: 503,
  START_TIMEOUT: 503,
  SUBSCRIBERS_TOO_MANY: 503,
  REQUEST_TIMED_OUT: 504,
}

/** Codes of Fastify that are more than a request that is not as expected. */
const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'BODY_NOT_JSON',
}

export function answerOf({ code, detail }: MillraceError): ErrorAnswer {
  const { text, fix } = ERROR_CODES[code]
  const places = Object.entries(detail).map(([key, value]) => `${key}: ${show(value)}`)
  return { error: { code, message: places.length === 0 ? text : `${text} (${places.join(', ')})`, fix } }
}

function show(value: unknown): string {
  const plain = shown(value, { bytes: DETAIL_BYTES })
  return typeof plain === 'string' ? plain : JSON.stringify(plain)
}

/** Fastify's error handler: every failure in one shape. */
export function sendError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): void {
  const known = knownError(error)
  const status = STATUSES[known.code] ?? 500
  if (status === 500) request.log.error(error)
  const { waitS = 1 } = known.detail as { waitS?: number }
  if (status === 503 || status === 429) void reply.header('retry-after', String(waitS))
  if (status === 401) void reply.header('www-authenticate', 'Bearer realm="millrace"')
  void reply
    .code(status)
    .type('application/json')
    .send(printable(JSON.stringify(answerOf(known))))
}

function knownError(error: FastifyError | Error): MillraceError {
  if (error instanceof MillraceError) return STATUSES[error.code] === undefined ? internal(error) : error
  const { code, statusCode = 500 } = error as FastifyError
  const named = FASTIFY_CODES[code]
  if (named !== undefined) return new MillraceError(named)
  if (statusCode >= 400 && statusCode < 500) return new MillraceError('REQUEST_INVALID', { reason: error.message })
  return internal(error)
}

/** What went wrong inside is for the log, not for whoever asks. */
function internal(cause: Error): MillraceError {
  return new MillraceError('INTERNAL', {}, { cause })
}
