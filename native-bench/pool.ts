import { Piscina } from 'piscina'
import { type Contender, type Scale, moved } from './suite.ts'

/** Tasks that wait in the pool or are called, at most: more did not make it faster. */
const WINDOW = 256

/** A pool of threads that gets one task per record. */
export class TaskPool {
  readonly #pool: Piscina

  constructor(threads: number) {
    this.#pool = new Piscina({
      filename: new URL('./pool-task.js', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Infinity,
      // Of the pool's modes the quickest one for small tasks here.
      atomics: 'async',
      concurrentTasksPerWorker: WINDOW / threads,
    })
  }

  run(task: string, record: unknown): Promise<unknown> {
    return this.#pool.run(record, { name: task }) as Promise<unknown>
  }

  /**
   * @param task export of `pool-task.ts`
   * @param add takes what a task answered, and gives what it adds to the sum
   */
  contender(given: {
    readonly name: string
    readonly task: string
    readonly records: number
    readonly scale: Scale
    readonly make: (index: number) => unknown
    readonly add: (answer: unknown) => number
    readonly sum: (count: number) => number
  }): Contender {
    const { name, task, make, add } = given
    const records = given.scale.records(given.records)
    const burst: Contender['burst'] = async () => {
      let next = 0
      let sum = 0
      const start = performance.now()
      const runners = Array.from({ length: WINDOW }, async () => {
        while (next < records) {
          const answer = await this.run(task, make(next++))
          sum += add(answer)
        }
      })
      await Promise.all(runners)
      const ms = performance.now() - start
      if (sum !== given.sum(records)) throw new Error(`${name}: the sum is ${sum}, not ${given.sum(records)}`)
      return moved(records, ms)
    }
    return { name, unit: 'records/s', burst }
  }

  close(): Promise<void> {
    return this.#pool.close({ force: true })
  }
}
