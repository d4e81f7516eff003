import { run } from 'millrace'
import { idle as graph } from '../graphs.ts'
import { TaskPool } from '../pool.ts'
import type { Burst, Contender, Suite } from '../suite.ts'

const WORKERS = 10
/** Longer than the waits that grow while nothing comes. */
const SETTLE_MS = 4_000

export const idle: Suite = {
  name: 'idle',
  title: `What ${WORKERS} threads cost that have nothing to do: the whole process, for each of them`,
  async open(scale) {
    const ms = scale.ms(5_000)
    const contender = (name: string, open: () => Promise<() => Promise<unknown>>): Contender => ({
      name,
      unit: '% of a core',
      async burst(): Promise<Burst> {
        const close = await open()
        await waited(scale.ms(SETTLE_MS))
        const [usage, start] = [process.cpuUsage(), performance.now()]
        await waited(ms)
        const { user, system } = process.cpuUsage(usage)
        const tookMs = performance.now() - start
        await close()
        return { msPerRecord: (user + system) / 1e3 / tookMs / WORKERS, tookMs }
      },
    })
    return {
      contenders: [
        contender('a pipeline', async () => {
          const pipeline = await run(graph)
          return () => pipeline.stop()
        }),
        contender('piscina', async () => {
          const pool = new TaskPool(WORKERS)
          return () => pool.close()
        }),
      ],
      ratios: {},
      close: () => Promise.resolve(),
    }
  },
}

function waited(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
