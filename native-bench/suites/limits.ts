import { type GraphData, dataflow, run } from 'millrace'
import type { Burst, Contender, Suite } from '../suite.ts'

const RATES = [10, 1_000, 100_000]
const WORKERS = [1, 2, 4]
const SETTLE_MS = 500

interface Limit {
  readonly perSecond: number
  readonly workers: number
}

/** As many records as are taken, into a stage with a rate limit. */
export function limited({ perSecond, workers }: Limit): GraphData {
  return dataflow('limited', import.meta.url)
    .source('numbers', { poll: (demand) => Array.from({ length: demand }, (_, i) => i) })
    .sink('out', { concurrency: workers, rateLimit: perSecond, write: () => undefined })
    .connect('numbers', 'out')
}

export const limits: Suite = {
  name: 'limits',
  title: 'How well a rate limit is held over 10 s, by workers of the stage',
  open(scale) {
    const ms = scale.ms(10_000)
    const contender = (limit: Limit): Contender => ({
      name: `${limit.perSecond.toLocaleString('en')}/s, workers: ${limit.workers}`,
      unit: 'records/s',
      async burst(): Promise<Burst> {
        await using pipeline = await run(limited, { params: limit })
        const taken = (): number => pipeline.snapshot().stages['out']!.in
        await waited(scale.ms(SETTLE_MS))
        const [before, start] = [taken(), performance.now()]
        await waited(ms)
        const [records, tookMs] = [taken() - before, performance.now() - start]
        void pipeline.stop()
        return { msPerRecord: tookMs / records, tookMs }
      },
    })
    const contenders = RATES.flatMap((perSecond) => WORKERS.map((workers) => contender({ perSecond, workers })))
    return Promise.resolve({ contenders, ratios: {}, close: () => Promise.resolve() })
  },
}

function waited(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
