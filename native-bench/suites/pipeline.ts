import { bareThreads } from '../bare.ts'
import { fused, pipeline as trivial, work2 } from '../graphs.ts'
import { native } from '../native.ts'
import { TaskPool } from '../pool.ts'
import { PortChain } from '../ports.ts'
import { PAYLOAD, type Payload, sums } from '../records.ts'
import { Running } from '../running.ts'
import { type Contender, type Suite, moved } from '../suite.ts'
import { setSteps, stepsFor } from '../work.ts'

const WORK_US = 20
const CORES = 2

export const pipeline: Suite = {
  name: 'pipeline',
  title: 'source → transform × 2 → sink in batches of 100, { id, payload: 64 characters }',
  async open(scale) {
    const sum = sums(PAYLOAD, 1)
    const steps = stepsFor(WORK_US)
    setSteps(steps)
    const running = new Running()
    const ports = (gate: string, kind: 'payload' | 'work'): PortChain =>
      new PortChain({ gate, kind, form: 'array', batch: 100, window: 16 }, [1, CORES, 1])
    const chain = ports('portTrivial', 'payload')
    const chainWork = ports('portWork', 'work')
    const pool = new TaskPool(CORES)
    const bare = bareThreads(CORES, steps)
    const given = { scale, sum }
    const tasks = {
      make: (index: number) => PAYLOAD.make(index),
      add: (answer: unknown) => PAYLOAD.sumOf(answer as Payload),
      ...given,
    }
    const nativeRecords = scale.records(20_000_000)
    return {
      contenders: [
        await running.contender({ name: 'trivial: Millrace', graph: trivial, records: 2_000_000, ...given }),
        await running.contender({ name: 'trivial: Millrace, fused', graph: fused, records: 2_000_000, ...given }),
        chain.contender('trivial: MessagePort chain, batches of 100', 400_000, scale, sum),
        pool.contender({ name: 'trivial: piscina, a task each', task: 'map', records: 25_000, ...tasks }),
        oneThread(scale.records(400_000), sum),
        native({
          name: 'trivial: C++',
          unit: 'records/s',
          program: 'pipeline',
          records: nativeRecords,
          sum: sum(nativeRecords),
        }),
        await running.contender({ name: '20 µs: Millrace', graph: work2, records: 120_000, ...given }),
        chainWork.contender('20 µs: MessagePort chain, batches of 100', 120_000, scale, sum),
        pool.contender({ name: '20 µs: piscina, a task each', task: 'mapWithWork', records: 15_000, ...tasks }),
        bare.contender('20 µs: ideal, two bare threads', scale.records(120_000)),
      ],
      ratios: {
        trivialOverPiscina: ['trivial: Millrace', 'trivial: piscina, a task each'],
        trivialOverMessagePortChain: ['trivial: Millrace', 'trivial: MessagePort chain, batches of 100'],
        trivialOverOneThread: ['trivial: Millrace', 'trivial: one thread, async iterators'],
        work20usOfIdeal: ['20 µs: Millrace', '20 µs: ideal, two bare threads'],
      },
      async close() {
        await running.close()
        await Promise.all([chain.close(), chainWork.close(), pool.close(), bare.close()])
      },
    }
  },
}

async function* source(records: number): AsyncGenerator<Payload> {
  for (let index = 0; index < records; index++) yield PAYLOAD.make(index)
}

async function* transform(input: AsyncIterable<Payload>): AsyncGenerator<Payload> {
  for await (const record of input) yield PAYLOAD.map(record)
}

async function* batches(input: AsyncIterable<Payload>, size: number): AsyncGenerator<Payload[]> {
  let batch: Payload[] = []
  for await (const record of input) {
    if (batch.push(record) < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** What one would write first: no threads at all. */
function oneThread(records: number, expected: (count: number) => number): Contender {
  return {
    name: 'trivial: one thread, async iterators',
    unit: 'records/s',
    async burst() {
      const start = performance.now()
      let sum = 0
      for await (const batch of batches(transform(source(records)), 100))
        for (const record of batch) sum += PAYLOAD.sumOf(record)
      const ms = performance.now() - start
      if (sum !== expected(records)) throw new Error(`one thread: the sum is ${sum}, not ${expected(records)}`)
      return moved(records, ms)
    },
  }
}
