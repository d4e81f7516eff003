import type { RunOptions } from 'millrace'
import { traceAll, traceNone, traceOff, traceOne, traceTen } from '../graphs.ts'
import { PAYLOAD, sums } from '../records.ts'
import { Running } from '../running.ts'
import type { Suite } from '../suite.ts'

const RECORDS = 2_000_000

/** What tracing costs: the pipeline of the suite of that name, with more and more of its chunks traced. */
export const trace: Suite = {
  name: 'trace',
  title: 'source → transform × 2 → sink in batches of 100, traced',
  async open(scale) {
    const sum = sums(PAYLOAD, 1)
    const running = new Running()
    const contender = (name: string, graph: typeof traceNone, options: RunOptions['trace']) =>
      running.contender({ name, graph, records: RECORDS, scale, sum, ...(options && { options: { trace: options } }) })
    return {
      contenders: [
        await contender('without', traceNone, undefined),
        await contender('off', traceOff, {}),
        await contender('1 %', traceOne, { rate: 0.01 }),
        await contender('10 %', traceTen, { rate: 0.1 }),
        await contender('100 %', traceAll, { rate: 1 }),
      ],
      ratios: {
        traceOffOfWithout: ['off', 'without'],
        trace1OfWithout: ['1 %', 'without'],
        trace10OfWithout: ['10 %', 'without'],
        trace100OfWithout: ['100 %', 'without'],
      },
      close: () => running.close(),
    }
  },
}
