import { setTimeout as sleep } from 'node:timers/promises'
import { type Pipeline, run } from 'millrace'
import { type BrokerClient, natsClient, redisClient } from '../broker-clients.ts'
import { type BrokerParams, intoBroker, outOfBroker, throughBroker } from '../broker-graphs.ts'
import { makeGate } from '../gate.ts'
import { SIX_FIELDS, sums } from '../records.ts'
import { type OwnServer, startNats, startRedis } from '../servers.ts'
import { type Absent, type Contender, type Scale, type Suite, moved } from '../suite.ts'

const RECORDS = 3_000
const CHUNK = 64
const CASES = ['write', 'write: its client', 'read', `read, chunk ${CHUNK}`, 'read: its client', 'through'] as const

interface Broker {
  readonly name: 'nats' | 'redis'
  readonly title: string
  readonly start: () => Promise<OwnServer | undefined>
  readonly client: (port: number) => Promise<BrokerClient>
}

const BROKERS: readonly Broker[] = [
  { name: 'nats', title: 'JetStream', start: startNats, client: natsClient },
  { name: 'redis', title: 'Redis Streams', start: startRedis, client: redisClient },
]

export const brokers: Suite = {
  name: 'brokers',
  title:
    'Records of six fields into a broker, out of it, and through a buffer in it; beside the client of the broker alone',
  async open(scale) {
    const bouts = await Promise.all(BROKERS.map((broker) => openBroker(broker, scale)))
    return {
      contenders: bouts.flatMap(({ contenders }) => contenders),
      ratios: Object.fromEntries(BROKERS.flatMap(({ name, title }) => ratiosOf(name, title))),
      close: async () => void (await Promise.all(bouts.map((bout) => bout.close()))),
    }
  },
}

function ratiosOf(name: string, title: string): [string, [string, string]][] {
  return [
    [`${name}WriteOfClient`, [`${title}: write`, `${title}: write: its client`]],
    [`${name}ReadOfClient`, [`${title}: read`, `${title}: read: its client`]],
    [`${name}ReadInChunksOfClient`, [`${title}: read, chunk ${CHUNK}`, `${title}: read: its client`]],
  ]
}

async function openBroker(
  { name: broker, title, start, client: open }: Broker,
  scale: Scale,
): Promise<{ contenders: (Contender | Absent)[]; close: () => Promise<void> }> {
  const server = await start()
  if (server === undefined) {
    const absent = CASES.map((what): Absent => ({ name: `${title}: ${what}`, unit: 'records/s', absent: 'no server' }))
    return { contenders: absent, close: () => Promise.resolve() }
  }
  const { port } = server
  const client = await open(port)
  const running: Pipeline[] = []
  const named = (what: string, chunk?: number): BrokerParams => ({
    name: `${broker}_${what}`,
    broker,
    port,
    ...(chunk !== undefined && { chunk }),
  })
  const records = scale.records(RECORDS)
  const sum = sums(SIX_FIELDS, 0)
  const contender = (what: string, burst: Contender['burst']): Contender => ({
    name: `${title}: ${what}`,
    unit: 'records/s',
    burst,
  })

  const write = async (): Promise<Contender> => {
    const params = named('write')
    await client.queue(params.name)
    const gate = makeGate(params.name)
    const pipeline = await run(intoBroker, { params })
    running.push(pipeline)
    return contender('write', async () => {
      const [from, cpu] = [performance.now(), process.cpuUsage()]
      const target = gate.ask(records)
      while (pipeline.snapshot().nodes['out']!.done < target) await sleep(2)
      return moved(records, performance.now() - from, cpuOf(cpu, records))
    })
  }

  const clientWrites = async (): Promise<Contender> => {
    const queue = await client.queue(`${broker}_client_write`)
    let next = 0
    return contender('write: its client', async () => {
      const [from, cpu] = [performance.now(), process.cpuUsage()]
      await queue.write(next, (next += records))
      return moved(records, performance.now() - from, cpuOf(cpu, records))
    })
  }

  const read = async (what: string, name: string, chunk?: number): Promise<Contender> => {
    const params = named(name, chunk)
    const queue = await client.queue(params.name)
    const gate = makeGate(params.name)
    const pipeline = await run(outOfBroker, { params, paused: true })
    running.push(pipeline)
    let next = 0
    return contender(what, async () => {
      await queue.write(next, (next += records))
      const bursting = gate.burst(records, sum)
      const from = performance.now()
      pipeline.resume()
      const { also } = await bursting
      const ms = performance.now() - from
      pipeline.pause()
      return moved(records, ms, also)
    })
  }

  const clientReads = async (): Promise<Contender> => {
    const queue = await client.queue(`${broker}_client_read`)
    let next = 0
    return contender('read: its client', async () => {
      const before = sum(next)
      await queue.write(next, (next += records))
      const [from, cpu] = [performance.now(), process.cpuUsage()]
      const read = await queue.read(records)
      const ms = performance.now() - from
      if (read !== sum(next) - before) throw new Error(`${title}: ${read} was read, not ${sum(next) - before}`)
      return moved(records, ms, cpuOf(cpu, records))
    })
  }

  const through = async (): Promise<Contender> => {
    const params = named('through')
    const gate = makeGate(params.name)
    running.push(await run(throughBroker, { params }))
    return contender('through', () => gate.burst(records, sum))
  }

  return {
    contenders: [
      await write(),
      await clientWrites(),
      await read('read', 'read'),
      await read(`read, chunk ${CHUNK}`, 'chunks', CHUNK),
      await clientReads(),
      await through(),
    ],
    async close() {
      for (const pipeline of running) await pipeline.drain()
      await client.close()
      await server.close()
    },
  }
}

function cpuOf(since: NodeJS.CpuUsage, records: number): { cpu: { value: number; unit: string } } {
  const { user, system } = process.cpuUsage(since)
  return { cpu: { value: ((user + system) * 1000) / records, unit: 'ns CPU/record' } }
}
