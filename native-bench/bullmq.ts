import { connect } from 'node:net'
import { work } from './work.ts'

/** What of the package is used. */
interface Bull {
  readonly FlowProducer: new (options: object) => {
    setMaxListeners(count: number): void
    add(tree: object): Promise<{ readonly job: { waitUntilFinished(events: object): Promise<unknown> } }>
    close(): Promise<void>
  }
  readonly QueueEvents: new (
    queue: string,
    options: object,
  ) => { waitUntilReady(): Promise<unknown>; setMaxListeners(count: number): void; close(): Promise<void> }
  readonly Worker: new (
    queue: string,
    process: (job: Job) => Promise<number>,
    options: object,
  ) => { waitUntilReady(): Promise<unknown>; close(): Promise<void> }
  readonly Queue: new (
    queue: string,
    options: object,
  ) => { obliterate(options: object): Promise<void>; close(): Promise<void> }
}

interface Job {
  readonly name: string
  readonly data: number
  getChildrenValues(): Promise<Record<string, number>>
}

/** A diamond as jobs of BullMQ. */
export interface BullFlows {
  /** Resolves to what the last job returns. */
  ask(steps: number): Promise<unknown>
  close(): Promise<void>
}

const [HOST, PORT] = ['127.0.0.1', 6379]
const PACKAGE: string = 'bullmq'
const PREFIX = 'millrace-bench'
/** Jobs that a worker takes at once. */
const CONCURRENCY = 64

/**
 * Four jobs for each request, in BullMQ's flows over the local Redis. Those are trees: `both` waits for `left` and `right`, and `left`
 * for `first`. Processors run in this process, as BullMQ's do by default.
 * @returns why there is none: no package, or no Redis
 */
export async function openBullMq(): Promise<BullFlows | string> {
  // By a name that the compiler does not follow: whoever builds this need not have the package.
  const bull = (await import(PACKAGE).catch(() => undefined)) as Bull | undefined
  if (bull === undefined) return 'the package bullmq is not installed'
  if (!(await answers())) return `no Redis at ${HOST}:${PORT}`
  const connection = { host: HOST, port: PORT, maxRetriesPerRequest: null }
  const shared = { connection, prefix: PREFIX }
  const producer = new bull.FlowProducer(shared)
  const events = new bull.QueueEvents('steps', shared)
  // As many listeners wait as requests are open.
  for (const emitter of [events, producer]) emitter.setMaxListeners(0)
  const worker = new bull.Worker(
    'steps',
    async (job) => {
      if (job.name !== 'both') return work(job.data)
      const values = Object.values(await job.getChildrenValues())
      return values.reduce((sum, value) => sum + value, 0)
    },
    { ...shared, concurrency: CONCURRENCY },
  )
  await Promise.all([events.waitUntilReady(), worker.waitUntilReady()])
  const opts = { removeOnComplete: true, removeOnFail: true }
  return {
    async ask(data) {
      const step = (name: string, children: object[] = []): object => ({
        name,
        queueName: 'steps',
        data,
        children,
        opts,
      })
      const tree = await producer.add(step('both', [step('left', [step('first')]), step('right')]))
      return tree.job.waitUntilFinished(events)
    },
    async close() {
      await worker.close()
      await Promise.all([events.close(), producer.close()])
      const queue = new bull.Queue('steps', shared)
      await queue.obliterate({ force: true })
      await queue.close()
    },
  }
}

function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(PORT, HOST, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
