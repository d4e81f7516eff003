/** Builds the adjacency in time and memory linear in nodes and edges. */
export function adjacency(graph, { paths } = {}) {
  const numbers = new Map()
  graph.nodes.forEach((node, number) => {
    if (!numbers.has(node.id)) numbers.set(node.id, number)
  })
  const out = graph.nodes.map(() => [])
  const into = graph.nodes.map(() => [])
  const ends = new Int32Array(graph.edges.length * 2).fill(-1)
  const edges = []
  graph.edges.forEach((edge, index) => {
    const from = numbers.get(edge.from)
    const to = numbers.get(edge.to)
    if (from === undefined || to === undefined) return
    if (paths !== undefined && !paths.includes(edge.pathType ?? 'normal')) return
    edges.push(index)
    ends[2 * index] = from
    ends[2 * index + 1] = to
    out[from]?.push(index)
    into[to]?.push(index)
  })
  const nodes = graph.nodes
  return {
    nodes,
    allEdges: graph.edges,
    edges,
    number: (id) => numbers.get(id) ?? -1,
    id: (node) => at(nodes, node).id,
    node: (node) => at(nodes, node),
    edge: (edge) => at(graph.edges, edge),
    out: (node) => out[node] ?? [],
    in: (node) => into[node] ?? [],
    from: (edge) => ends[2 * edge] ?? -1,
    to: (edge) => ends[2 * edge + 1] ?? -1,
  }
}
/** An element that must be there: a number that came out of the adjacency itself. */
function at(list, index) {
  const found = list[index]
  if (found === undefined) throw new RangeError(`no entry ${index} among ${list.length}`)
  return found
}
