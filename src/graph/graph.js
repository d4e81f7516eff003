var _a
/**
 * A dataflow graph: plain frozen data (`nodes`, `edges`, `clusters`) and the calls that build on it.
 * Every call returns a new graph. Nothing is checked here but by the compiler: `validate` reports all problems at once,
 * and `plan` and `run` refuse a graph that has any.
 */
export class Graph {
  name
  module
  nodes
  edges
  clusters
  constructor(data) {
    this.name = data.name
    this.module = data.module
    this.nodes = Object.freeze([...data.nodes])
    this.edges = Object.freeze([...data.edges])
    this.clusters = Object.freeze([...data.clusters])
    Object.freeze(this)
  }
  /** Adds a source: `produce` (an iterable, async or not), `poll` (asked for at most so many records) or `push`. */
  source(id, options = {}) {
    return this.#withNode('source', id, options)
  }
  /** Adds a transform with one handler: `map`, `flatMap`, `filter` or `mapBatch`. */
  transform(id, options = {}) {
    return this.#withNode('transform', id, options)
  }
  /** Adds a conditional: `route` names the branch of each record, and so the edges (`when`) that it takes. No thread. */
  conditional(id, options = {}) {
    return this.#withNode('conditional', id, options)
  }
  /** Adds a buffer: capacity, and what happens when it is full, on the lanes through it. No thread. */
  buffer(id, options = {}) {
    return this.#withNode('buffer', id, options)
  }
  /** Adds a merge: what is sent to it from several nodes goes on together. No thread. */
  merge(id, options = {}) {
    return this.#withNode('merge', id, options)
  }
  sink(id, options = {}) {
    return this.#withNode('sink', id, options)
  }
  /** Adds a cluster: a named group of nodes, which may lie in another one (`parent`). */
  cluster(id, options = {}) {
    return new _a({ ...this.#data(), clusters: [...this.clusters, Object.freeze({ ...options, id })] })
  }
  /** Connects two nodes. The same two may be connected more than once, by different path types or branches. */
  connect(from, to, options) {
    return new _a({ ...this.#data(), edges: [...this.edges, Object.freeze({ ...options, from, to })] })
  }
  /**
   * Puts another graph into this one: its ids get `prefix`, its clusters too, and all of it lies in the cluster `cluster`,
   * which is made where it does not exist.
   */
  embed(inner, { prefix, cluster }) {
    const rename = (id) => prefix + id
    const outer = cluster === undefined ? {} : { cluster }
    const parent = cluster === undefined ? {} : { parent: cluster }
    const known = cluster === undefined || this.clusters.some(({ id }) => id === cluster)
    return new _a({
      ...this.#data(),
      nodes: [
        ...this.nodes,
        ...inner.nodes.map((node) =>
          freezeNode({
            ...node,
            id: rename(node.id),
            ...(node.cluster === undefined ? outer : { cluster: rename(node.cluster) }),
          }),
        ),
      ],
      edges: [
        ...this.edges,
        ...inner.edges.map((edge) => Object.freeze({ ...edge, from: rename(edge.from), to: rename(edge.to) })),
      ],
      clusters: [
        ...this.clusters,
        ...(known ? [] : [Object.freeze({ id: cluster })]),
        ...inner.clusters.map((each) =>
          Object.freeze({
            ...each,
            id: rename(each.id),
            ...(each.parent === undefined ? parent : { parent: rename(each.parent) }),
          }),
        ),
      ],
    })
  }
  #data() {
    return { name: this.name, module: this.module, nodes: this.nodes, edges: this.edges, clusters: this.clusters }
  }
  #withNode(kind, id, options) {
    return new _a({ ...this.#data(), nodes: [...this.nodes, freezeNode({ ...options, id, kind })] })
  }
}
_a = Graph
/** Copies and freezes; the caller's own option objects stay as they are. */
function freezeNode(node) {
  const entries = Object.entries(node).map(([key, value]) => [
    key,
    isPlainObject(value) ? Object.freeze({ ...value }) : value,
  ])
  return Object.freeze(Object.fromEntries(entries))
}
function isPlainObject(value) {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
/**
 * Starts a graph. `moduleUrl` is the `import.meta.url` of the module that exports the finished graph: each worker imports
 * that module again and finds its handlers by the graph's name and the node's id. Without it the graph can be drawn,
 * analysed and rehearsed; handlers that are `{ module, export }` references run without it too.
 */
export function dataflow(name, moduleUrl) {
  return new Graph({ name, module: moduleUrl, nodes: [], edges: [], clusters: [] })
}
