/** A service as an orchestrator runs it: slow records, a route, and readiness. Prints where it listens. */
import Fastify from 'fastify'
import { dataflow, handleSignals, logEvents, run } from 'millrace'
import { control } from 'millrace/control'

const graph = dataflow('service', import.meta.url)
  .source('requests', { push: true })
  .transform('slow', {
    maxInFlight: 100,
    map: async (n: number) => {
      await new Promise((resolve) => setTimeout(resolve, 300))
      return n * n
    },
  })
  .sink('out')
  .connect('requests', 'slow')
  .connect('slow', 'out')

const pipeline = await run(graph)
const app = Fastify({ logger: true })
logEvents(pipeline, app.log)
await app.register(control(pipeline), { prefix: '/millrace' })
app.get('/square', async () => ({ square: await pipeline.call('requests', 7) }))
handleSignals(pipeline, { server: app, logger: app.log, delayMs: Number(process.env['DELAY_MS'] ?? 0) })
await app.listen({ port: 0 })
