/** A pipeline whose workers write down, as they leave, what the tracing channels have told in them. */
import { writeFileSync } from 'node:fs'
import * as workerThreads from 'node:worker_threads'
import { type SetupContext, dataflow, mark } from 'millrace/graph'

export interface Noted {
  readonly told: readonly { readonly at: string; readonly node: string; readonly message: any }[] | undefined
  readonly threadName: string | undefined
}

/** @param folder for the notes, or undefined */
export const noting = ({ folder }: { folder: string }) => {
  const teardown = (_: unknown, { node, worker }: SetupContext): void => {
    const { told } = globalThis as { told?: unknown }
    const { threadName } = workerThreads as { threadName?: string }
    writeFileSync(`${folder}/${node}-${worker}`, JSON.stringify({ told, threadName }))
  }
  return dataflow('noting', import.meta.url)
    .source('in', {
      poll: (() => {
        let n = 0
        return () => (n === 3 ? null : [mark(n++, { receipt: n })])
      })(),
      ack: () => undefined,
      teardown,
    })
    .transform('check', {
      concurrency: 2,
      map: (n: number) => {
        if (n === 1) throw new RangeError('not one')
        return n
      },
      teardown,
    })
    .transform('wait', {
      map: async (n: number) => {
        await new Promise((resolve) => setTimeout(resolve, 1))
        if (n === 2) throw new RangeError('not two')
        return n
      },
      teardown,
    })
    .sink('out', { batch: { size: 10, timeoutMs: 5 }, write: () => undefined, teardown })
    .connect('in', 'check')
    .connect('check', 'wait')
    .connect('wait', 'out')
}
