import { bareThreads } from '../bare.ts'
import { work1, work2 } from '../graphs.ts'
import { PAYLOAD, sums } from '../records.ts'
import { Running } from '../running.ts'
import type { Suite } from '../suite.ts'
import { setSteps, stepsFor } from '../work.ts'

export const workers: Suite = {
  name: 'workers',
  title: '20 µs of CPU work a record, by 1 and by 2 workers',
  async open(scale) {
    const sum = sums(PAYLOAD, 1)
    const steps = stepsFor(20)
    setSteps(steps)
    const running = new Running()
    const bare1 = bareThreads(1, steps)
    const bare2 = bareThreads(2, steps)
    return {
      contenders: [
        await running.contender({ name: 'Millrace, 1 worker', graph: work1, records: 60_000, scale, sum }),
        await running.contender({ name: 'Millrace, 2 workers', graph: work2, records: 160_000, scale, sum }),
        bare1.contender('ideal, 1 bare thread', scale.records(60_000)),
        bare2.contender('ideal, 2 bare threads', scale.records(120_000)),
      ],
      ratios: { speedup2: ['Millrace, 2 workers', 'Millrace, 1 worker'] },
      async close() {
        await running.close()
        await Promise.all([bare1.close(), bare2.close()])
      },
    }
  },
}
