import { MillraceError } from '../errors.js'
import { sendError } from './errors.js'
/** What nothing answers to: an unknown address, or a known one with another method. */
export function sendUnknown(endpoints, prefix, request, reply) {
  const path = request.url.split('?')[0].slice(prefix.length)
  const allowed = endpoints.filter((endpoint) => matches(endpoint.path, path)).map(({ method }) => method)
  if (allowed.length > 0) void reply.header('allow', [...new Set(allowed)].join(', '))
  const code = allowed.length > 0 ? 'METHOD_NOT_ALLOWED' : 'ADDRESS_UNKNOWN'
  sendError(new MillraceError(code, { method: request.method }), request, reply)
}
function matches(pattern, path) {
  const wanted = pattern.split('/')
  const given = path.split('/')
  return wanted.length === given.length && wanted.every((part, i) => part.startsWith(':') || part === given[i])
}
