import { dataflow } from 'millrace'

export const graph = dataflow('doubles', import.meta.url)
  .source('in', { push: true })
  .transform('double', { map: (n) => n * 2 })
  .sink('out')
  .connect('in', 'double')
  .connect('double', 'out')
