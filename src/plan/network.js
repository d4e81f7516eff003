export function networkOf(graph) {
  const out = new Map(graph.nodes.map(({ id }) => [id, []]))
  graph.edges.forEach((edge, index) => out.get(edge.from).push(index))
  return {
    graph,
    nodes: new Map(graph.nodes.map((node) => [node.id, node])),
    out,
    fused: new Set(graph.edges.filter(({ fuse }) => fuse === true).map(({ to }) => to)),
  }
}
export function edgesOut(network, node) {
  return network.out.get(node) ?? []
}
export function edgeAt({ graph }, index) {
  return graph.edges[index]
}
export function nodeAt({ nodes }, id) {
  return nodes.get(id)
}
export function isStage({ nodes, fused }, id) {
  const { kind } = nodes.get(id)
  return (kind === 'source' || kind === 'transform' || kind === 'sink') && !fused.has(id)
}
export function follow(network, edge, defaultCapacity) {
  const edges = [edge]
  let to = edgeAt(network, edge).to
  let capacity
  let whenFull = 'block'
  let dropEdge
  for (;;) {
    const node = nodeAt(network, to)
    if (node.kind === 'buffer') {
      capacity = (capacity ?? 0) + (node.capacity ?? defaultCapacity)
      if (whenFull === 'block' && node.whenFull !== undefined) {
        whenFull = node.whenFull
        dropEdge = whenFull === 'block' ? undefined : edges.at(-1)
      }
    }
    const next = edgesOut(network, to)
    if ((node.kind !== 'buffer' && node.kind !== 'merge') || next.length !== 1)
      return { edges, to, capacity, whenFull, dropEdge }
    edges.push(next[0])
    to = edgeAt(network, next[0]).to
  }
}
