import type { FastifyInstance, FastifyReply } from 'fastify'
import { MillraceError } from '../errors.ts'
import { printable } from '../shown.ts'

/** A body as it came, and what it means to the flow. */
interface Body {
  readonly bytes: Buffer
  readonly input: unknown
}

const NO_BODY: Body = { bytes: Buffer.alloc(0), input: undefined }

/**
 * Takes any body: JSON (`application/json`, `…+json`) is its value, text (`text/…`) a text, all else its bytes. None is `undefined`.
 */
export function acceptAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, given, done) => {
    const bytes = given as Buffer
    const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
    try {
      done(null, { bytes, input: inputOf(type, bytes) } satisfies Body)
    } catch (error) {
      done(new MillraceError('BODY_NOT_JSON', { reason: String(error) }))
    }
  })
}

function inputOf(type: string, bytes: Buffer): unknown {
  if (type === 'application/json' || type.endsWith('+json'))
    return bytes.length === 0 ? undefined : JSON.parse(bytes.toString())
  if (type.startsWith('text/')) return bytes.toString()
  // A view of its own bytes alone: what is around them in Node's pool is no part of it.
  return new Uint8Array(bytes)
}

export function bodyOf(body: unknown): Body {
  return (body as Body | undefined) ?? NO_BODY
}

/** Sends an answer: a text as text, bytes as bytes, nothing as 204, all else as JSON. */
export function sendAnswer(reply: FastifyReply, answer: unknown): FastifyReply {
  if (answer === undefined) return reply.code(204).send()
  if (typeof answer === 'string') return reply.type('text/plain; charset=utf-8').send(answer)
  if (answer instanceof Uint8Array)
    return reply.type('application/octet-stream').send(Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength))
  return reply.type('application/json; charset=utf-8').send(printable(JSON.stringify(answer)))
}
