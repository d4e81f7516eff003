/** Graphs of which many records kill whoever takes them. */
import { dataflow } from 'millrace/graph'

interface Params {
  readonly count: number
  /** Each so-manieth record kills. */
  readonly every: number
}

const kills = (n: number, { every }: Params): void => {
  if (n % every === every - 1) process.exit(1)
}

const source = (name: string) =>
  dataflow<Params>(name, import.meta.url).source('numbers', {
    produce: ({ params }) => Array.from({ length: params.count }, (_, i) => i),
  })

export const one = source('one')
  .sink('work', { maxCrashes: 1, write: (n: number, { params }) => kills(n, params) })
  .connect('numbers', 'work')

export const batches = source('batches')
  .sink('work', {
    maxCrashes: 1,
    batch: { size: 10, timeoutMs: 1 },
    write: (numbers: number[], { params }) => numbers.forEach((n) => kills(n, params)),
  })
  .connect('numbers', 'work')

export const calls = source('calls')
  .sink('work', { maxCrashes: 1, maxInFlight: 4, write: async (n: number, { params }) => kills(n, params) })
  .connect('numbers', 'work')
