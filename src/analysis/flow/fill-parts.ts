import { fill, type Filling } from './filling.ts'
import { ALL, SAME, type Counts, type Limit, type Met } from './limits.ts'
import type { Model, Origin } from './model.ts'
import { partsOf } from './parts.ts'

/**
 * The same as `fill`: pieces of the graph that do not know of each other are filled one by one.
 * Cost: linear, and for each piece what filling it costs.
 */
export function fillParts(model: Model, origins: readonly Origin[], counts: Counts = ALL): Filling {
  const split = partsOf(model)
  if (split === undefined) return fill(model, origins, counts)
  const { parts, of, place } = split
  const members = parts.map((): number[] => [])
  origins.forEach(({ node }, index) => members[of[node]!]!.push(index))
  const rates = origins.map(() => 0)
  const limits = origins.map((): Limit => ({ by: 'nothing' }))
  const holders = origins.map((): Limit | undefined => undefined)
  const into = new Float64Array(model.graph.nodes.length)
  const met: Met[] = []
  parts.forEach(({ model: part, nodes }, number) => {
    const whole = <T extends Limit>(limit: T): T =>
      limit.node === undefined ? limit : { ...limit, node: nodes[limit.node]! }
    const own = members[number]!
    const within = own.map((index) => ({ ...origins[index]!, node: place[origins[index]!.node]! }))
    const filled = fill(part, within, (node) => counts(nodes[node]!))
    filled.into.forEach((rate, node) => void (into[nodes[node]!] = rate))
    own.forEach((origin, index) => {
      rates[origin] = filled.rates[index]!
      limits[origin] = whole(filled.limits[index]!)
      const holder = filled.holders[index]
      holders[origin] = holder && whole(holder)
    })
    for (const limit of filled.met) met.push(whole(limit))
  })
  return { rates, limits, holders, into, met: inOrder(met) }
}

/** By the moment at which they were met; those of one moment in the order of the graph. */
function inOrder(met: readonly Met[]): readonly Met[] {
  const sorted = [...met].sort((a, b) => a.at - b.at)
  const moments: Met[][] = []
  for (const limit of sorted) {
    const last = moments.at(-1)
    if (last !== undefined && limit.at * (1 - SAME) <= last[0]!.at) last.push(limit)
    else moments.push([limit])
  }
  return moments.flatMap((moment) => moment.sort((a, b) => (a.node ?? -1) - (b.node ?? -1)))
}
