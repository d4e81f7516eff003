import { MessageChannel, Worker } from 'node:worker_threads'
import type { Gate } from '../gate.ts'
import { latency as graph } from '../graphs.ts'
import { lanePair } from '../lanes.ts'
import { native } from '../native.ts'
import { PERCENTS } from '../one-way.ts'
import type { PingThread } from '../ping-thread.ts'
import { PortChain } from '../ports.ts'
import { SIX_FIELDS, sums } from '../records.ts'
import { Running } from '../running.ts'
import type { Absent, Burst, Contender, Figure, Scale, Suite } from '../suite.ts'

const BURST_MS = 500

export const latency: Suite = {
  name: 'latency',
  title: 'Ping-pong between two threads, and one-way times at a rate',
  async open(scale) {
    const threads: Worker[] = []
    const running = new Running()
    const ports = new PortChain({ gate: 'portDue', kind: 'due', form: 'array', batch: 100, window: 16 }, [1, 1])
    return {
      contenders: [
        pingPong('ping-pong, hot: Millrace', 'hot', scale.records(20_000), threads),
        cppPing('ping-pong, hot: C++', 'hot', scale.records(200_000)),
        pingPong('ping-pong, parked: Millrace', 'parked', scale.records(4_000), threads),
        cppPing('ping-pong, parked: C++', 'parked', scale.records(4_000)),
        pingPong('ping-pong: MessagePort', 'port', scale.records(8_000), threads),
        ...oneWay('Millrace', await running.start(graph), scale, 600_000),
        ...oneWay('MessagePort', ports.gate, scale, 300_000),
      ],
      ratios: {
        hotP50OverMessagePort: ['ping-pong, hot: Millrace', 'ping-pong: MessagePort'],
        parkedP50OverMessagePort: ['ping-pong, parked: Millrace', 'ping-pong: MessagePort'],
        oneWayP99At10OverMessagePort: [
          `one way, at 10 % of capacity: Millrace, p99`,
          `one way, at 10 % of capacity: MessagePort, p99`,
        ],
        oneWayP99At80OverMessagePort: [
          `one way, at 80 % of capacity: Millrace, p99`,
          `one way, at 80 % of capacity: MessagePort, p99`,
        ],
      },
      async close() {
        await Promise.all([running.close(), ports.close()])
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

/**
 * From when a record was due to when it arrived: at full speed, and at shares of what full speed came to.
 * @param fullRecords records of a burst at full speed
 */
function oneWay(who: string, gate: Gate, scale: Scale, fullRecords: number): Contender[] {
  const ids = sums({ ...SIX_FIELDS, sumOf: ({ id }) => id }, 0)
  let capacityPerMs = 0
  const measureCapacity = async (): Promise<Burst> => {
    const burst = await gate.burst(scale.records(fullRecords), ids)
    capacityPerMs = 1 / burst.msPerRecord
    return burst
  }
  const at = (percent: number): Contender => ({
    name: `one way, at ${percent} % of capacity: ${who}`,
    unit: 'µs',
    async burst() {
      // Taking turns, a share may come before the first look at the capacity.
      if (capacityPerMs === 0) await measureCapacity()
      const rate = (capacityPerMs * percent) / 100
      const { tookMs } = await gate.burst(scale.records(Math.round(rate * scale.ms(BURST_MS))), ids, rate)
      const [p50, ...further] = gate.told(PERCENTS.length)
      const also = Object.fromEntries(
        further.map((value, i): [string, Figure] => [`p${PERCENTS[i + 1]}`, { value, unit: 'µs' }]),
      )
      return { msPerRecord: p50! / 1e3, tookMs, also }
    },
  })
  return [{ name: `one way, capacity: ${who}`, unit: 'records/s', burst: measureCapacity }, at(10), at(80)]
}
