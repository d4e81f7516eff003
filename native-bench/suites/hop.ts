import { hop as graph, hopMsgpack } from '../graphs.ts'
import { native } from '../native.ts'
import { TaskPool } from '../pool.ts'
import { PortChain } from '../ports.ts'
import { SIX_FIELDS, sums } from '../records.ts'
import { Running } from '../running.ts'
import type { Suite } from '../suite.ts'

export const hop: Suite = {
  name: 'hop',
  title: 'Objects of six fields from thread to thread',
  async open(scale) {
    const sum = sums(SIX_FIELDS, 0)
    const running = new Running()
    const single = new PortChain(
      { gate: 'portSingle', kind: 'sixFields', form: 'single', batch: 1, window: 1_000 },
      [1, 1],
    )
    const batches = new PortChain(
      { gate: 'portBatch', kind: 'sixFields', form: 'array', batch: 100, window: 16 },
      [1, 1],
    )
    const pool = new TaskPool(2)
    const given = { scale, sum }
    const nativeRecords = scale.records(20_000_000)
    return {
      contenders: [
        await running.contender({ name: 'Millrace', graph, records: 2_000_000, ...given }),
        await running.contender({ name: 'Millrace, msgpack', graph: hopMsgpack, records: 400_000, ...given }),
        batches.contender('MessagePort, batches of 100', 500_000, scale, sum),
        single.contender('MessagePort, one by one', 100_000, scale, sum),
        pool.contender({
          name: 'piscina, a task each',
          task: 'take',
          records: 25_000,
          make: (index) => SIX_FIELDS.make(index),
          add: (answer) => answer as number,
          ...given,
        }),
        native({
          name: 'C++',
          unit: 'records/s',
          program: 'hop',
          records: nativeRecords,
          sum: sum(nativeRecords),
        }),
      ],
      ratios: {
        overMessagePort: ['Millrace', 'MessagePort, one by one'],
        overMessagePortBatch: ['Millrace', 'MessagePort, batches of 100'],
        overPiscina: ['Millrace', 'piscina, a task each'],
        overMsgpack: ['Millrace', 'Millrace, msgpack'],
      },
      async close() {
        await running.close()
        await Promise.all([single.close(), batches.close(), pool.close()])
      },
    }
  },
}
