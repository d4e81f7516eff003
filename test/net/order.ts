import type { NodeShape, Shape } from '../../scripts/chaos/shape.ts'

/** What order the records of an output keep: that of their source, or, by a node's key, that of each key. */
export interface KeptOrder {
  readonly by?: NodeShape
}

/** The order that is promised along the one way to an output; undefined where there are several, or none is. */
export function orderOf(shape: Shape, output: string): KeptOrder | undefined {
  let by: NodeShape | undefined
  let id = output
  for (;;) {
    const into = shape.edges.filter(({ to }) => to === id)
    const node = shape.nodes.find((each) => each.id === id)!
    if (node.kind === 'source') return node.concurrency === 1 ? { ...(by && { by }) } : undefined
    if (into.length !== 1 || into[0]!.options['pathType'] !== undefined) return undefined
    const kept = keeps(node)
    if (kept === false) return undefined
    if (kept === 'key') {
      if (by !== undefined && by.keys !== node.keys) return undefined
      by = node
    }
    id = into[0]!.from
  }
}

/** Whether a stage sends in the order in which it takes. */
function keeps({
  limited,
  does,
  concurrency,
  answers,
  failures,
  isHopeless,
  partitioned,
  batchedByKey,
  options,
}: NodeShape): boolean | 'key' {
  if (['route', 'pass', 'output'].includes(does)) return true
  if (options['dispatch'] === 'broadcast') return false
  const isBatched = options['batch'] !== undefined || does === 'mapBatch' || does === 'mapEach'
  if (batchedByKey) return false
  const isKept = options['ordered'] === true || (answers === 'sync' && failures === 0)
  if (isBatched && isHopeless) return false
  if (!isKept) return false
  if (partitioned && options['ordered'] === true) return 'key'
  if (limited === true && options['ordered'] !== true) return 'key'
  if (Math.max(concurrency, (options['maxConcurrency'] as number | undefined) ?? 1) > 1)
    return partitioned ? 'key' : false
  return true
}
