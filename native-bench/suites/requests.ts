import { Agent, request as httpRequest } from 'node:http'
import { fastify } from 'fastify'
import { runFlow } from 'millrace/flow'
import { flowApi } from 'millrace/flow/server'
import { diamond, oneStep } from '../flows.ts'
import { TaskPool } from '../pool.ts'
import type { Burst, Contender, Suite } from '../suite.ts'
import { stepsFor, work } from '../work.ts'

const WORK_US = 20
/** Requests that are open at once where throughput is measured. */
const OPEN = 64

export const requests: Suite = {
  name: 'requests',
  title: 'Flows that answer: one step, and a diamond of four, in process and over HTTP, beside piscina',
  async open(scale) {
    const steps = stepsFor(WORK_US)
    const expected = work(steps)
    const pool = new TaskPool(1)
    const [single, four] = await Promise.all([runFlow(oneStep), runFlow(diamond)])
    const task = (): Promise<unknown> => pool.run('busy', steps)
    const tasks = async (): Promise<unknown> => {
      await task()
      const [left, right] = (await Promise.all([task(), task()])) as [number, number]
      return left + right
    }
    const service = fastify()
    await service.register(flowApi([single]))
    service.post('/piscina', (request) => pool.run('busy', request.body).then((answer) => JSON.stringify(answer)))
    const url = await service.listen({ port: 0, host: '127.0.0.1' })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const count = scale.records(4_000)
    const asked = (path: string) => async (): Promise<unknown> => JSON.parse(await posted(url + path, steps, agent))
    return {
      contenders: [
        many('one step: flow', count, () => single.execute(steps), expected),
        many('one step: piscina', count, task, expected),
        many('diamond: flow', count, () => four.execute(steps), 2 * expected),
        many('diamond: piscina', count, tasks, 2 * expected),
        oneByOne('one step, one by one: flow', count / 4, () => single.execute(steps), expected),
        oneByOne('one step, one by one: piscina', count / 4, task, expected),
        oneByOne('one step over HTTP: flow', count / 4, asked('/flows/oneStep'), expected),
        oneByOne('one step over HTTP: piscina', count / 4, asked('/piscina'), expected),
      ],
      ratios: {
        oneStepOverPiscina: ['one step: flow', 'one step: piscina'],
        diamondOverPiscina: ['diamond: flow', 'diamond: piscina'],
        httpP50OverPiscina: ['one step over HTTP: flow', 'one step over HTTP: piscina'],
        httpP99OverPiscina: ['one step over HTTP: flow, p99', 'one step over HTTP: piscina, p99'],
      },
      async close() {
        agent.destroy()
        await service.close()
        await Promise.all([single.drain(), four.drain(), pool.close()])
      },
    }
  },
}

/** Requests per second with many open at once. */
function many(name: string, count: number, ask: () => Promise<unknown>, expected: number): Contender {
  return {
    name,
    unit: 'requests/s',
    async burst(): Promise<Burst> {
      const start = performance.now()
      let left = count
      const askers = Array.from({ length: OPEN }, async () => {
        while (left-- > 0) check(name, await ask(), expected)
      })
      await Promise.all(askers)
      const tookMs = performance.now() - start
      return { msPerRecord: tookMs / count, tookMs }
    },
  }
}

/** Time of a request while no other one is open. */
function oneByOne(name: string, count: number, ask: () => Promise<unknown>, expected: number): Contender {
  return {
    name,
    unit: 'µs',
    async burst(): Promise<Burst> {
      const times: number[] = []
      for (let i = 0; i < count; i++) {
        const start = performance.now()
        check(name, await ask(), expected)
        times.push(performance.now() - start)
      }
      times.sort((a, b) => a - b)
      const at = (share: number): number => times[Math.floor(share * (times.length - 1))]!
      const tookMs = times.reduce((sum, time) => sum + time, 0)
      return { msPerRecord: at(0.5), tookMs, also: { p99: { value: 1_000 * at(0.99), unit: 'µs' } } }
    },
  }
}

function check(name: string, answer: unknown, expected: number): void {
  if (answer !== expected) throw new Error(`${name}: ${String(answer)}, not ${expected}`)
}

function posted(url: string, steps: number, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => (text += part))
        response.on('end', () => resolve(text))
        response.on('error', reject)
      },
    )
    request.on('error', reject)
    request.end(String(steps))
  })
}
