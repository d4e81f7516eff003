import { dataflow } from 'millrace'

export const graph = dataflow('doubles', __filename)
  .source('in', { push: true })
  .transform('double', { map: (n: number) => n * 2 })
  .sink('out')
  .connect('in', 'double')
  .connect('double', 'out')
