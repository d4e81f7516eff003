import { dataflow } from 'millrace'

interface Params {
  readonly more: number
}

function square(n: number): number {
  if (n === 4) throw new Error('no four')
  return n * n
}

const graphOf = (name: string, count: number) =>
  dataflow<Params>(name, import.meta.url)
    .source('numbers', { produce: () => Array.from({ length: count }, (_, n) => n) })
    .transform('square', { concurrency: 2, map: (n: number, { params }) => square(n) + params.more })
    .sink('out')
    .connect('numbers', 'square')
    .connect('square', 'out')

export const first = graphOf('first', 3)
export const second = graphOf('second', 5)

export function makeGraph({ count }: Params & { readonly count: number }) {
  return graphOf('made', count)
}
