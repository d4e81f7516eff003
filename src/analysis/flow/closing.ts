import type { CountsAsLimit, Limit } from './limits.ts'
import { climb, type Model, type Origin } from './model.ts'

interface Closing {
  readonly limits: (Limit | undefined)[]
  readonly holders: (Limit | undefined)[]
  /** What is full now. */
  readonly now: readonly Limit[]
  readonly counts: CountsAsLimit
}

/** Sets the limit of every origin from which records come to what is full: the first that it feeds. */
export function close(model: Model, origins: readonly Origin[], { limits, holders, now, counts }: Closing): void {
  if (now.length === 0 || limits.every((limit) => limit !== undefined)) return
  const place = ({ node, by }: Limit): number => (by === 'cores' ? Infinity : model.traffic.place(node!))
  const highestFirst = now.length === 1 ? now : [...now].sort((a, b) => place(a) - place(b))
  const first = firstFed(model, now, counts)
  const highest = now.length === 1 ? first : firstFed(model, highestFirst, counts)
  origins.forEach(({ node }, index) => {
    if (limits[index] !== undefined) return
    limits[index] = now[fedBy(model, node, first)]
    holders[index] = highestFirst[fedBy(model, node, highest)]
  })
}

/** For each node the first of some limits to which records come from it, by position; `NONE` where there is none. */
function firstFed(model: Model, limits: readonly Limit[], counts: CountsAsLimit): Uint32Array {
  const found = new Uint32Array(model.graph.nodes.length).fill(NONE)
  limits.forEach(({ by, node: stage }, index) => {
    const burners = by === 'cores' ? model.services.keys() : [stage!]
    for (const node of burners) {
      if (by === 'cores' && !(counts(node) && model.services[node]!.coreSeconds > 0)) continue
      climb(model, node, (feeder) => {
        if (found[feeder] !== NONE) return false
        found[feeder] = index
        return true
      })
    }
  })
  return found
}
const NONE = 0xffffffff

function fedBy({ graph, shares }: Model, origin: number, first: Uint32Array): number {
  if (graph.node(origin).kind === 'source') return first[origin]!
  return graph.out(origin).reduce((least, edge) => {
    return (shares[edge]?.gain ?? 0) > 0 ? Math.min(least, first[graph.to(edge)]!) : least
  }, NONE)
}
