import type { ResolvedGraph } from '../graph/resolve.ts'

/** Where edges lead, by number: all that components depend on. */
type Routes = { readonly nodes: readonly unknown[] } & Pick<ResolvedGraph, 'out' | 'to'>

/** The strongly connected components of a graph. */
export interface Components {
  /** Component of a node. Components are numbered in topological order: an edge never leads to a lower number. */
  of(node: number): number
  readonly count: number
  /** Node numbers of each component, ascending. */
  readonly members: readonly (readonly number[])[]
  /** True of a component with a cycle: more than one node, or a self-loop. */
  isLoop(component: number): boolean
}

/**
 * Tarjan's algorithm with its own stack, so that long chains do not overflow the thread's. Linear in nodes and edges.
 * `within` restricts it to some nodes; the others belong to no component (-1).
 */
export function components(graph: Routes, within?: readonly number[]): Components {
  const roots = within ?? graph.nodes.map((_, number) => number)
  const allowed = within === undefined ? undefined : new Set(within)
  const size = graph.nodes.length
  const found = new Int32Array(size).fill(-1)
  const low = new Int32Array(size)
  const component = new Int32Array(size).fill(-1)
  const open: number[] = []
  const reversed: number[][] = []
  let clock = 0

  const visit = (root: number): void => {
    const path: { node: number; next: number }[] = [{ node: root, next: 0 }]
    found[root] = low[root] = clock++
    open.push(root)
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { node } = top
      const edge = graph.out(node)[top.next++]
      if (edge === undefined) {
        path.pop()
        const above = path.at(-1)
        if (above !== undefined) low[above.node] = Math.min(low[above.node]!, low[node]!)
        if (low[node] === found[node]) close(node)
        continue
      }
      const next = graph.to(edge)
      if (allowed !== undefined && !allowed.has(next)) continue
      if (found[next] === -1) {
        found[next] = low[next] = clock++
        open.push(next)
        path.push({ node: next, next: 0 })
      } else if (component[next] === -1) {
        low[node] = Math.min(low[node]!, found[next]!)
      }
    }
  }
  const close = (node: number): void => {
    const members: number[] = []
    for (let member = open.pop(); member !== undefined; member = open.pop()) {
      component[member] = reversed.length
      members.push(member)
      if (member === node) break
    }
    reversed.push(members.sort((a, b) => a - b))
  }
  for (const root of roots) if (found[root] === -1) visit(root)

  const count = reversed.length
  const members = reversed.reverse()
  const loops = members.map(
    (nodes) => nodes.length > 1 || nodes.some((node) => graph.out(node).some((edge) => graph.to(edge) === node)),
  )
  return {
    of: (node) => (component[node] === -1 ? -1 : count - 1 - (component[node] ?? 0)),
    count,
    members,
    isLoop: (index) => loops[index] ?? false,
  }
}
