import { MessageChannel, Worker } from 'node:worker_threads'
import { PERCENTS, latency as graph } from '../graphs.ts'
import { lanePair } from '../lanes.ts'
import { native } from '../native.ts'
import type { PingThread } from '../ping-thread.ts'
import { SIX_FIELDS, sums } from '../records.ts'
import { Running } from '../running.ts'
import type { Absent, Contender, Figure, Scale, Suite } from '../suite.ts'

export const latency: Suite = {
  name: 'latency',
  title: 'Ping-pong between two threads, and one-way times at a rate',
  async open(scale) {
    const threads: Worker[] = []
    const running = new Running()
    const oneWay = await oneWayContenders(running, scale)
    return {
      contenders: [
        pingPong('ping-pong, hot: Millrace', 'hot', scale.records(20_000), threads),
        cppPing('ping-pong, hot: C++', 'hot', scale.records(200_000)),
        pingPong('ping-pong, parked: Millrace', 'parked', scale.records(4_000), threads),
        cppPing('ping-pong, parked: C++', 'parked', scale.records(4_000)),
        pingPong('ping-pong: MessagePort', 'port', scale.records(8_000), threads),
        ...oneWay,
      ],
      ratios: {
        hotP50OverMessagePort: ['ping-pong, hot: Millrace', 'ping-pong: MessagePort'],
        parkedP50OverMessagePort: ['ping-pong, parked: Millrace', 'ping-pong: MessagePort'],
      },
      async close() {
        await running.close()
        await Promise.all(threads.map((thread) => thread.terminate()))
      },
    }
  },
}

/** What a thread answers after its round trips, in µs. */
interface RoundTrips {
  readonly p50: number
  readonly p99: number
  readonly sum: number
}

/** Round trips between two threads: over lanes whose readers look all the time or park, or over a MessagePort. */
function pingPong(name: string, way: PingThread['way'], roundTrips: number, threads: Worker[]): Contender {
  const lanes = lanePair(1 << 16, 64)
  const { port1, port2 } = new MessageChannel()
  const start = (role: PingThread['role'], port: typeof port1): Worker => {
    const workerData: PingThread = { role, way, lanes, port }
    const thread = new Worker(new URL('../ping-thread.js', import.meta.url), { workerData, transferList: [port] })
    threads.push(thread)
    return thread
  }
  const ping = start('ping', port1)
  const pong = start('pong', port2)
  return {
    name,
    unit: 'µs',
    async burst() {
      const start = performance.now()
      const answer = new Promise<RoundTrips>((resolve, reject) => {
        ping.once('message', resolve)
        ping.once('error', reject)
      })
      for (const thread of [pong, ping]) thread.postMessage(roundTrips)
      const { p50, p99, sum } = await answer
      if (sum !== (roundTrips * (roundTrips - 1)) / 2) throw new Error(`${name}: the sum of what came back is ${sum}`)
      const also = { p99: { value: p99, unit: 'µs' } }
      return { msPerRecord: p50 / 1e3, tookMs: performance.now() - start, also }
    },
  }
}

function cppPing(name: string, way: 'hot' | 'parked', roundTrips: number): Contender | Absent {
  const sum = (roundTrips * (roundTrips - 1)) / 2
  return native({ name, unit: 'µs', program: 'latency', records: roundTrips, options: [way], sum })
}

/** From when a record was due to when it arrived: at full speed, and at shares of what full speed came to. */
async function oneWayContenders(running: Running, scale: Scale): Promise<Contender[]> {
  const gate = await running.start(graph)
  const ids = sums({ ...SIX_FIELDS, sumOf: ({ id }) => id }, 0)
  let capacityPerMs = 0
  const at = (name: string, share: number, ms: number): Contender => ({
    name: `one way, at ${name} of capacity: Millrace`,
    unit: 'µs',
    async burst() {
      // Taking turns, a share may come before the first look at the capacity.
      if (capacityPerMs === 0) await measureCapacity()
      const rate = capacityPerMs * share
      const { tookMs } = await gate.burst(scale.records(Math.round(rate * ms)), ids, rate)
      const told = gate.told(PERCENTS.length)
      const also = Object.fromEntries(
        PERCENTS.slice(1).map((percent, i): [string, Figure] => [`p${percent}`, { value: told[i + 1]!, unit: 'µs' }]),
      )
      return { msPerRecord: told[0]! / 1e3, tookMs, also }
    },
  })
  const measureCapacity = async (): ReturnType<typeof gate.burst> => {
    const burst = await gate.burst(scale.records(600_000), ids)
    capacityPerMs = 1 / burst.msPerRecord
    return burst
  }
  return [
    { name: 'one way, capacity: Millrace', unit: 'records/s', burst: measureCapacity },
    at('10 %', 0.1, scale.ms(500)),
    at('80 %', 0.8, scale.ms(500)),
  ]
}
