/** A pipeline with holes, and the same one mended. `millrace check --graph broken` names every hole; the mended one is sound. */
import { dataflow } from 'millrace'

const parts = dataflow('repair')
  .source('ingress', { label: 'Ingress', rate: 100 })
  .transform('worker', { label: 'Worker', latencyMs: 5 })
  .sink('db', { label: 'DB' })
  .connect('ingress', 'worker')

/** The worker sends to nobody, and two nodes hear from nobody. */
export const broken = parts
  .transform('orphan_processor', { label: 'Orphan' })
  .sink('never_reached', { label: 'Unreachable Sink' })

export default parts.connect('worker', 'db')
