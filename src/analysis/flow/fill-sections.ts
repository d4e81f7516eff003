import { fill, type Filling } from './filling.ts'
import { ALL, SAME, type CountsAsLimit, type Limit, type Met } from './limits.ts'
import type { Model, Origin } from './model.ts'
import { sectionsOf } from './sections.ts'

/**
 * The same as `fill`: sections of the graph are filled one by one, in the order of the flow, so that what comes to a buffer is
 * known before what leaves it is filled. Cost: linear, and for each section what filling it costs.
 */
export function fillSections(model: Model, origins: readonly Origin[], counts: CountsAsLimit = ALL): Filling {
  const split = sectionsOf(model)
  if (split === undefined) return fill(model, origins, counts)
  const { sections, of, from, place } = split
  const members = sections.map((): number[] => [])
  origins.forEach(({ node }, index) => members[from[node]!]!.push(index))
  const rates = origins.map(() => 0)
  const limits = origins.map((): Limit => ({ by: 'nothing' }))
  const holders = origins.map((): Limit | undefined => undefined)
  const into = new Float64Array(model.graph.nodes.length)
  const met: Met[] = []
  /** A buffer that follows what comes to it from another section sends that at most. */
  const within = (index: number): Origin => {
    const origin = origins[index]!
    const { node, follows } = origin
    const isKnown = follows && of[node] !== from[node]
    return { ...origin, node: place[node]!, ...(isKnown ? { most: into[node]!, follows: false } : {}) }
  }
  sections.forEach(({ model: section, nodes }, number) => {
    const whole = <T extends Limit>(limit: T): T =>
      limit.node === undefined ? limit : { ...limit, node: nodes[limit.node]! }
    const own = members[number]!
    const filled = fill(section, own.map(within), (node) => counts(nodes[node]!))
    nodes.forEach((node, index) => void (of[node] === number && (into[node] = filled.into[index]!)))
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
