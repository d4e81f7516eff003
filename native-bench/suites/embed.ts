import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { fastify } from 'fastify'
import { run } from 'millrace'
import { embed as graph } from '../graphs.ts'
import type { Load, LoadReport, LoadThread } from '../load-thread.ts'
import { TaskPool } from '../pool.ts'
import type { Burst, Contender, Suite } from '../suite.ts'
import { stepsFor, work } from '../work.ts'

const WORK_US = 5_000
/** One core is left to the service itself and to those who ask; pipeline and pool get as many threads. */
const WORKERS = Math.max(1, availableParallelism() - 1)
const HEAVY_CONNECTIONS = 4
const LIGHT_EVERY_MS = 4

export const embed: Suite = {
  name: 'embed',
  title: 'A Fastify service with a light route, beside one of 5 ms of CPU work',
  async open(scale) {
    const steps = stepsFor(WORK_US)
    const expected = work(steps)
    const pool = new TaskPool(WORKERS)
    const pipeline = await run(graph)
    const service = fastify()
    service.get('/light', () => ({ value: 1 }))
    service.get('/pipeline', async () => ({ value: await pipeline.call('in', steps) }))
    service.get('/piscina', async () => ({ value: await pool.run('busy', steps) }))
    service.get('/inline', () => ({ value: work(steps) }))
    const url = await service.listen({ port: 0, host: '127.0.0.1' })
    const workerData: LoadThread = { url, expected, heavy: HEAVY_CONNECTIONS, lightEveryMs: LIGHT_EVERY_MS }
    const load = new Worker(new URL('../load-thread.js', import.meta.url), { workerData })
    const ms = scale.ms(4_000)
    const busy = (name: string, path: string): Contender => ({
      name,
      unit: 'requests/s',
      async burst() {
        const { heavy, lightP99Ms } = await ask(load, { path, ms })
        const also = { 'p99 of the light route': { value: lightP99Ms, unit: 'ms' } }
        return { msPerRecord: ms / heavy, tookMs: ms, also }
      },
    })
    return {
      contenders: [
        {
          name: 'idle, p99 of the light route',
          unit: 'ms',
          async burst(): Promise<Burst> {
            const { lightP99Ms } = await ask(load, { path: undefined, ms })
            return { msPerRecord: lightP99Ms, tookMs: ms }
          },
        },
        busy('through a pipeline', '/pipeline'),
        busy('through piscina', '/piscina'),
        busy('inline', '/inline'),
      ],
      ratios: {
        lightP99OverIdle: ['through a pipeline, p99 of the light route', 'idle, p99 of the light route'],
        throughputOverPiscina: ['through a pipeline', 'through piscina'],
      },
      async close() {
        await load.terminate()
        await service.close()
        await pipeline.drain()
        await pool.close()
      },
    }
  },
}

function ask(load: Worker, task: Load): Promise<LoadReport> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(error)
    load.once('error', onError)
    load.once('message', (report: LoadReport) => {
      load.off('error', onError)
      resolve(report)
    })
    load.postMessage(task)
  })
}
