import { dataflow } from 'millrace'

export const graph = dataflow('squares', __filename)
  .source('numbers', { produce: () => [0, 1, 2] })
  .transform('square', { concurrency: 2, map: (n: number) => n * n })
  .sink('out')
  .connect('numbers', 'square')
  .connect('square', 'out')
