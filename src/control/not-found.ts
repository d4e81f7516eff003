import type { FastifyReply, FastifyRequest } from 'fastify'
import { MillraceError } from '../errors.ts'
import type { Endpoint } from './endpoint.ts'
import { sendError } from './errors.ts'

/** What nothing answers to: an unknown address, or a known one with another method. */
export function sendUnknown(
  endpoints: readonly Endpoint[],
  prefix: string,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const path = request.url.split('?')[0]!.slice(prefix.length)
  const allowed = endpoints.filter((endpoint) => matches(endpoint.path, path)).map(({ method }) => method)
  if (allowed.length > 0) void reply.header('allow', [...new Set(allowed)].join(', '))
  const code = allowed.length > 0 ? 'METHOD_NOT_ALLOWED' : 'ADDRESS_UNKNOWN'
  sendError(new MillraceError(code, { method: request.method }), request, reply)
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/')
  const given = path.split('/')
  return wanted.length === given.length && wanted.every((part, i) => part.startsWith(':') || part === given[i])
}
