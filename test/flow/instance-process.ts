/** A process with one instance of `spread`, which its parent tells what to do: see `instances.ts`. */
import { openFlowStore, runFlow } from 'millrace/flow'
import type { Answered, Asked } from './instances.js'
import { spread } from './spread-flow.js'

const { address, role, leaseMs, keepRequests } = JSON.parse(process.argv[2]!) as {
  address: string
  role: 'all' | 'api' | 'worker'
  leaseMs: number
  keepRequests: number
}
const store = await openFlowStore(address, { shared: true })
const running = await runFlow(spread, { store, role, leaseMs, keepRequests })

const METHODS = {
  execute: (id: string, input: never) => running.execute(input, { id }),
  start: async (id: string, input: never, timeoutMs?: number) => {
    await running.start(input, { id, ...(timeoutMs === undefined ? {} : { timeoutMs }) }).saved
  },
  view: async (id: string) => (await running.get(id))?.view(),
  list: () => running.list({ limit: Infinity }),
  pause: (id: string) => running.pause(id),
  resume: (id: string) => running.resume(id),
  stop: (id: string) => running.stop(id),
  dropped: () => running.dropped,
  drain: async () => {
    await running.drain()
    await store.close()
  },
}
export type Methods = typeof METHODS

process.on('message', ({ n, method, args }: Asked) => {
  const answer = async (): Promise<unknown> => (METHODS[method] as (...args: readonly unknown[]) => unknown)(...args)
  void answer()
    .then(
      (value): Answered => ({ n, value }),
      (error: unknown): Answered => ({
        n,
        error: { code: (error as { code?: string }).code ?? '', message: String(error) },
      }),
    )
    .then((answered) => process.send!(answered))
})
process.on('disconnect', () => process.exit())
process.send!('ready')
