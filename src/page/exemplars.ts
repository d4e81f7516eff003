import type { HistogramAnswer } from '#src/control/index.js'
import { duration } from './format.ts'
import type { TraceQuery } from './trace-data.ts'

/** Shows the traces that a search finds, and a word for what was looked for. */
export type FindTraces = (query: TraceQuery, text: string) => void

/** So far from what was clicked: a bucket of a histogram, and a pixel, are about so wide. */
const NEAR = 0.05

/** The search for traces with a value of a histogram near this one; undefined where it is no time. */
export function exemplarsOf(
  kind: HistogramAnswer['kind'],
  node: string,
  ms: number,
): { query: TraceQuery; text: string } | undefined {
  const [least, most] = [ms * (1 - NEAR), ms * (1 + NEAR)]
  const query = {
    service: { minCallMs: least, maxCallMs: most },
    lane: { minWaitMs: least, maxWaitMs: most },
    ack: { minMs: least, maxMs: most },
    endToEnd: { minMs: least, maxMs: most },
    batch: undefined,
  }[kind as string]
  return query && { query: { node, ...query }, text: `${node}: about ${duration(ms)}` }
}
