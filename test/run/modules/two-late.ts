/** Two graphs in one file, each run when the module has loaded, and the second one for longer than that takes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { dataflow, run } from 'millrace'

const slowly = (name: string, ms: number) =>
  dataflow(name, import.meta.url)
    .source('numbers', { produce: () => [1] })
    .transform('wait', { map: (n: number) => sleep(ms, n) })
    .sink('out')
    .connect('numbers', 'wait')
    .connect('wait', 'out')

export const [first, second] = [slowly('first', 0), slowly('second', 1_500)]

async function main(): Promise<void> {
  await sleep(20)
  for (const graph of [first, second]) {
    const pipeline = await run(graph)
    for await (const record of pipeline.output('out')) console.warn(`${graph.name} ${String(record)}`)
    await pipeline.finished
  }
}

void main()
