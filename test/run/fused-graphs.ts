/** Graphs of fused nodes, whose handlers say what their contexts say. */
import { type Context, type Graph, type GraphData, dataflow } from 'millrace'

export interface Seen {
  readonly n: number
  readonly main?: string
  readonly node?: string
  readonly id?: string
  readonly attempt?: number
  readonly batch?: boolean
}

/** Below a source, below a stage that answers later, and below batches. */
export type Above = 'source' | 'sync' | 'async' | 'batch'

function see(seen: Seen, { node, id, attempt, batch, emit, fail }: Context): Seen {
  if (seen.n === 7) emit('odd', seen)
  if (seen.n === 9) fail(seen, new RangeError('nine'))
  return { ...seen, node, id, attempt, batch: batch !== undefined }
}

export function fusedBelow({ above }: { readonly above: Above }): GraphData {
  const numbers = Array.from({ length: 20 }, (_, n): Seen => ({ n }))
  const main = {
    source: undefined,
    sync: { map: (seen: Seen, { id }: Context) => ({ ...seen, main: id }) },
    async: { map: async (seen: Seen, { id }: Context) => ({ ...seen, main: id }), maxInFlight: 4 },
    batch: {
      batch: { size: 5, timeoutMs: 1_000 },
      mapEach: (all: readonly Seen[], { batch }: Context) => all.map((seen, i) => ({ ...seen, main: batch!.idAt(i) })),
    },
  }[above]
  const start = dataflow('fused-below', import.meta.url).source('in', { produce: () => numbers, chunk: 20 })
  if (main === undefined) return below(start, 'in')
  return below(start.transform('main', main as object).connect('in', 'main'), 'main')
}

function below(graph: Graph<any>, from: string): GraphData {
  return graph
    .transform('fused', { map: see })
    .sink('out')
    .sink('odd')
    .sink('dead')
    .connect(from, 'fused', { fuse: true })
    .connect('fused', 'out')
    .connect('fused', 'odd', { when: 'odd' })
    .connect('fused', 'dead', { pathType: 'dead_letter', dataType: 'Failure' })
}
