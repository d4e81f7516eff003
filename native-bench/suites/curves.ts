import type { GraphData } from 'millrace'
import * as graphs from '../curve-graphs.ts'
import { PAYLOAD, payloads, sums } from '../records.ts'
import { Running } from '../running.ts'
import type { Contender, Scale, Suite } from '../suite.ts'

/** Not a contest: how the cost of one shape grows. `CURVE: X UNIT` names a point; `--draw` draws them. */
export const curves: Suite = {
  name: 'curves',
  title: 'Cost against record size, workers and lanes (trivial work)',
  async open(scale) {
    const one = sums(PAYLOAD, 1)
    const two = sums(PAYLOAD, 2)
    const sizes = [
      [16, graphs.size16],
      [64, graphs.size64],
      [256, graphs.size256],
      [1_024, graphs.size1024],
      [4_096, graphs.size4096],
    ] as const
    const pools = [
      [1, graphs.pool1],
      [2, graphs.pool2],
      [4, graphs.pool4],
      [8, graphs.pool8],
    ] as const
    const crossed = [
      [1, graphs.crossed1],
      [2, graphs.crossed2],
      [4, graphs.crossed4],
    ] as const
    const contenders: Contender[] = []
    const most = scale.isQuick ? 2 : Infinity
    for (const [size, graph] of sizes.slice(0, most)) {
      const records = Math.round(300_000 / (1 + size / 256))
      const sum = sums(payloads(size), 1)
      contenders.push(point(scale, { name: `record size: ${size} characters`, graph, records, sum }))
    }
    for (const [pool, graph] of pools.slice(0, most))
      contenders.push(point(scale, { name: `workers: ${pool} workers`, graph, records: 300_000, sum: one }))
    for (const [pool, graph] of crossed.slice(0, most)) {
      const name = `lanes: ${pool * pool} lanes`
      contenders.push(point(scale, { name, graph, records: 200_000, sum: two }))
    }
    return { contenders, ratios: {}, async close() {} }
  },
}

/** A point by itself: its threads live for one burst only, since those of all points would share the cores, parked or not. */
function point(
  scale: Scale,
  given: { name: string; graph: GraphData; records: number; sum: (count: number) => number },
): Contender {
  const records = scale.records(given.records)
  return {
    name: given.name,
    unit: 'records/s',
    async burst() {
      const running = new Running()
      const gate = await running.start(given.graph)
      await gate.burst(records >> 1, given.sum)
      const burst = await gate.burst(records, given.sum)
      await running.close()
      return burst
    },
  }
}
