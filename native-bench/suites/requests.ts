import { Agent, request as httpRequest } from 'node:http'
import { fastify } from 'fastify'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FlowStore, openFlowStore, runFlow } from 'millrace/flow'
import { flowApi } from 'millrace/flow/server'
import { openBullMq } from '../bullmq.ts'
import { diamond, keptDiamond, oneStep } from '../flows.ts'
import { TaskPool } from '../pool.ts'
import type { Absent, Burst, Contender, Suite } from '../suite.ts'
import { stepsFor, work } from '../work.ts'

const WORK_US = 20
/** Requests that are open at once where throughput is measured. */
const OPEN = 64

export const requests: Suite = {
  name: 'requests',
  title: 'Flows that answer: one step, and a diamond of four, in process and over HTTP, beside piscina and BullMQ',
  async open(scale) {
    const steps = stepsFor(WORK_US)
    const expected = work(steps)
    const pool = new TaskPool(1)
    const [single, four] = await Promise.all([runFlow(oneStep), runFlow(diamond)])
    const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
    const store = await openFlowStore(join(folder, 'requests.db')).catch((error: { code: string }) => error.code)
    const kept = typeof store === 'string' ? store : await runFlow(keptDiamond, { store })
    const bull = await openBullMq()
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
        typeof kept === 'string'
          ? missing('diamond: flow in SQLite', kept)
          : many('diamond: flow in SQLite', count / 4, () => kept.execute(steps), 2 * expected),
        typeof bull === 'string'
          ? missing('diamond: BullMQ', bull)
          : many('diamond: BullMQ', count / 8, () => bull.ask(steps), 2 * expected),
        oneByOne('one step, one by one: flow', count / 4, () => single.execute(steps), expected),
        oneByOne('one step, one by one: piscina', count / 4, task, expected),
        oneByOne('one step over HTTP: flow', count / 4, asked('/flows/oneStep'), expected),
        oneByOne('one step over HTTP: piscina', count / 4, asked('/piscina'), expected),
      ],
      ratios: {
        oneStepOverPiscina: ['one step: flow', 'one step: piscina'],
        diamondOverPiscina: ['diamond: flow', 'diamond: piscina'],
        diamondOverBullMq: ['diamond: flow', 'diamond: BullMQ'],
        keptDiamondOverBullMq: ['diamond: flow in SQLite', 'diamond: BullMQ'],
        httpP50OverPiscina: ['one step over HTTP: flow', 'one step over HTTP: piscina'],
        httpP99OverPiscina: ['one step over HTTP: flow, p99', 'one step over HTTP: piscina, p99'],
      },
      async close() {
        agent.destroy()
        await service.close()
        await Promise.all([single.drain(), four.drain(), pool.close()])
        if (typeof kept !== 'string') await kept.drain()
        if (typeof store !== 'string') await (store satisfies FlowStore).close()
        if (typeof bull !== 'string') await bull.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
}

function missing(name: string, absent: string): Absent {
  return { name, unit: 'requests/s', absent }
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
