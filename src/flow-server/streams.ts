import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { message } from '../control/subscriber.ts'
import { MillraceError } from '../errors.ts'
import type { FlowRequest } from '../flow/index.ts'
import { jsonOf, requestView } from './views.ts'

export const NDJSON = 'application/x-ndjson'

/** Each change of a request as a server-sent event, until it has ended. */
export async function streamChanges(request: FlowRequest, reply: FastifyReply, showErrors: boolean): Promise<void> {
  const response = begun(reply, 'text/event-stream')
  const send = (): void => void response.write(message('request', requestView(request.view(), showErrors)))
  send()
  const forget = request.watch(send)
  const left = new Promise<void>((resolve) => response.once('close', resolve))
  await Promise.race([request.ended, left])
  forget()
  response.end()
}

/**
 * The answers of the items of a request as they come, a line of JSON for each, and then its own answer, or why there is none. A client
 * that goes away stops nothing. @throws STEPS_NOT_KEPT
 */
export async function streamItems(request: FlowRequest, reply: FastifyReply, showErrors: boolean): Promise<void> {
  const { id, steps, flow } = request.view()
  if (steps === undefined) throw new MillraceError('STEPS_NOT_KEPT', { flow })
  void reply.header('x-request-id', id)
  const response = begun(reply, NDJSON)
  for await (const { forEach, path, answer } of request.items()) {
    if (response.destroyed) return
    const hasRoom = response.write(`${JSON.stringify({ forEach, path, answer: jsonOf(answer) })}\n`)
    if (!hasRoom) await Promise.race([once(response, 'drain'), once(response, 'close')])
  }
  const { answer, error, state } = requestView(request.view(), showErrors)
  response.end(`${JSON.stringify(error === undefined ? { state, answer } : { state, error })}\n`)
}

/** The head of an answer that comes in parts. */
function begun(reply: FastifyReply, type: string): ServerResponse {
  reply.hijack()
  const response = reply.raw
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) response.setHeader(name, value)
  response.writeHead(200, { 'content-type': type })
  return response
}
