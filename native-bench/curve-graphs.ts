/** The graphs of the suite `curves`: one shape, of which one thing grows. A graph is found by its export. */
import { type GraphData, dataflow } from 'millrace'
import { LAST_BATCH_MS, feed, pipelineGraph, tally } from './graphs.ts'
import { PAYLOAD, payloads } from './records.ts'

const sized = (characters: number): GraphData => {
  const kind = payloads(characters)
  return pipelineGraph(`size${characters}`, import.meta.url, { workers: 1, kind, map: kind.map })
}
export const size16: GraphData = sized(16)
export const size64: GraphData = sized(64)
export const size256: GraphData = sized(256)
export const size1024: GraphData = sized(1_024)
export const size4096: GraphData = sized(4_096)

const pooled = (workers: number): GraphData =>
  pipelineGraph(`pool${workers}`, import.meta.url, { workers, kind: PAYLOAD, map: PAYLOAD.map })
export const pool1: GraphData = pooled(1)
export const pool2: GraphData = pooled(2)
export const pool4: GraphData = pooled(4)
export const pool8: GraphData = pooled(8)

/** source → a × pool → b × pool → sink: pool² lanes in the middle. */
const crossed = (pool: number): GraphData => {
  const name = `crossed${pool}`
  return dataflow(name, import.meta.url)
    .source('source', { poll: feed(name, PAYLOAD) })
    .transform('a', { concurrency: pool, map: PAYLOAD.map })
    .transform('b', { concurrency: pool, map: PAYLOAD.map })
    .sink('sink', { batch: { size: 100, timeoutMs: LAST_BATCH_MS }, write: tally(name, PAYLOAD) })
    .connect('source', 'a')
    .connect('a', 'b')
    .connect('b', 'sink')
}
export const crossed1: GraphData = crossed(1)
export const crossed2: GraphData = crossed(2)
export const crossed4: GraphData = crossed(4)
