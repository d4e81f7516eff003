import { ints as graph, intsEach } from '../graphs.ts'
import { native } from '../native.ts'
import { PortChain } from '../ports.ts'
import { INTS, sums } from '../records.ts'
import { Running } from '../running.ts'
import type { Suite } from '../suite.ts'

export const ints: Suite = {
  name: 'ints',
  title: 'source → transform → sink of plain integers',
  async open(scale) {
    const sum = sums(INTS, 1)
    const running = new Running()
    const chain = new PortChain({ gate: 'portInts', kind: 'ints', form: 'int32', batch: 1_000, window: 64 }, [1, 1, 1])
    const nativeRecords = scale.records(100_000_000)
    return {
      contenders: [
        await running.contender({ name: 'Millrace, arrays', graph, records: 40_000_000, scale, sum }),
        await running.contender({ name: 'Millrace, one by one', graph: intsEach, records: 20_000_000, scale, sum }),
        chain.contender('MessagePort, Int32Array of 1,000', 40_000_000, scale, sum),
        native({
          name: 'C++, batches of 1,000',
          unit: 'records/s',
          program: 'ints',
          records: nativeRecords,
          sum: sum(nativeRecords),
        }),
      ],
      ratios: { overMessagePortBatch: ['Millrace, arrays', 'MessagePort, Int32Array of 1,000'] },
      async close() {
        await running.close()
        await chain.close()
      },
    }
  },
}
