import Fastify, { type FastifyInstance } from 'fastify'
import type { Pipeline } from 'millrace'
import { control } from 'millrace/control'
import type { Order } from './graph.ts'

const body = {
  type: 'object',
  required: ['text', 'salt'],
  properties: { text: { type: 'string', maxLength: 10_000 }, salt: { type: 'string', minLength: 1 } },
}

/** The service: `POST /hash`, and the page, metrics and health of its pipeline below `/millrace/`. */
export async function makeApp(pipeline: Pipeline): Promise<FastifyInstance> {
  const app = Fastify({ logger: process.env['NODE_ENV'] === 'production' })
  const token = process.env['MILLRACE_TOKEN']
  await app.register(control(pipeline, token === undefined ? {} : { token }), { prefix: '/millrace' })
  app.post<{ Body: Order }>('/hash', { schema: { body } }, async ({ body }) => ({
    hash: await pipeline.call('orders', body),
  }))
  return app
}
