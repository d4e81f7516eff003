import type {
  BufferOptions,
  ClusterOptions,
  ConditionalOptions,
  EdgeOptions,
  Failure,
  GraphCluster,
  GraphData,
  GraphEdge,
  GraphNode,
  MergeOptions,
  NodeKind,
  SinkBatchOptions,
  SinkWriteOptions,
  SourceOptions,
  Parametrised,
  TransformOptions,
} from './types.ts'
import { moduleUrl } from './module-url.ts'
import { number } from './serial.ts'

/** What the compiler knows of a node: the payload that it takes, and the payload that it sends. */
export interface Ports<In = unknown, Out = unknown> {
  readonly in: In
  readonly out: Out
}

/** A buffer or merge without a declared payload: it sends whatever is connected to it. */
export interface PassThrough<T = never> extends Ports<unknown, T> {
  readonly passThrough: true
}

type NodeTypes = Record<string, Ports>
type OutOf<N extends NodeTypes, Id extends string> = N[Id] extends { out: infer Out } ? Out : never
type InOf<N extends NodeTypes, Id extends string> = N[Id] extends { in: infer In } ? In : never

/** What an edge carries: a record of its node, or, on an error or dead-letter edge without `when`, a failure. */
type PayloadOf<N extends NodeTypes, From extends string, Options> = Options extends { when: string }
  ? OutOf<N, From>
  : Options extends { pathType: 'error' | 'dead_letter' }
    ? Failure<InOf<N, From>>
    : Options extends { pathType: 'retry' }
      ? InOf<N, From>
      : OutOf<N, From>

/** `To` where the payload fits; otherwise a text, so that the compiler's message says what does not fit. */
type Fits<N extends NodeTypes, From extends string, To extends string, Options> = [
  PayloadOf<N, From, Options>,
] extends [InOf<N, To>]
  ? To
  : {
      readonly doesNotFit: `What ${From} sends is not what ${To} takes`
      sends: PayloadOf<N, From, Options>
      takes: InOf<N, To>
    }

/** Connecting to a pass-through node teaches it what it passes on. */
type Connected<N extends NodeTypes, From extends string, To extends string, Options> =
  N[To] extends PassThrough<infer Known>
    ? Omit<N, To> & Record<To, PassThrough<Known | PayloadOf<N, From, Options>>>
    : N

type Prefixed<N, Prefix extends string> = { [Id in keyof N & string as `${Prefix}${Id}`]: N[Id] }

/**
 * A dataflow graph: plain frozen data (`nodes`, `edges`, `clusters`) and the calls that build on it.
 * Every call returns a new graph. Nothing is checked here but by the compiler: `validate` reports all problems at once,
 * and `plan` and `run` refuse a graph that has any.
 */
export class Graph<Nodes extends NodeTypes = {}, Params = unknown> implements Parametrised<Params> {
  readonly name: string
  readonly module: string | undefined
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly clusters: readonly GraphCluster[]
  /** For the compiler only. */
  declare readonly types: Nodes
  /** For the compiler only: what `run` is to be given as `params`. */
  declare readonly takes: (params: Params) => void

  constructor(data: GraphData) {
    this.name = data.name
    this.module = data.module
    this.nodes = Object.freeze([...data.nodes])
    this.edges = Object.freeze([...data.edges])
    this.clusters = Object.freeze([...data.clusters])
    Object.freeze(this)
    number(this, data.module)
  }

  /** Adds a source: `produce` (an iterable, async or not), `poll` (asked for at most so many records) or `push`. */
  source<const Id extends string, Out = any, State = undefined>(
    id: Id,
    options: SourceOptions<Out, State, Params> = {},
  ): Graph<Nodes & Record<Id, Ports<never, Out>>, Params> {
    return this.#withNode('source', id, options)
  }

  /** Adds a transform with one handler: `map`, `flatMap`, `filter`, `mapBatch` or `mapEach`. */
  transform<const Id extends string, In = any, Out = In, State = undefined, Preloaded = undefined>(
    id: Id,
    options: TransformOptions<In, Out, State, Params, Preloaded> = {},
  ): Graph<Nodes & Record<Id, Ports<In, Out>>, Params> {
    return this.#withNode('transform', id, options)
  }

  /** Adds a conditional: `route` names the branch of each record, and so the edges (`when`) that it takes. No thread. */
  conditional<const Id extends string, In = any>(
    id: Id,
    options: ConditionalOptions<In, Params> = {},
  ): Graph<Nodes & Record<Id, Ports<In, In>>, Params> {
    return this.#withNode('conditional', id, options)
  }

  /** Adds a buffer: capacity, and what happens when it is full, on the lanes through it. No thread. */
  buffer<const Id extends string>(id: Id, options: BufferOptions = {}): Graph<Nodes & Record<Id, PassThrough>, Params> {
    return this.#withNode('buffer', id, options)
  }

  /** Adds a merge: what is sent to it from several nodes goes on together. No thread. */
  merge<const Id extends string>(id: Id, options: MergeOptions = {}): Graph<Nodes & Record<Id, PassThrough>, Params> {
    return this.#withNode('merge', id, options)
  }

  /** Adds a sink: `write` gets each record, or each batch with `batch`. Without `write`, `pipeline.output(id)` reads it. */
  sink<const Id extends string, In = any, State = undefined>(
    id: Id,
    options?: SinkBatchOptions<In, State, Params>,
  ): Graph<Nodes & Record<Id, Ports<In, In>>, Params>
  sink<const Id extends string, In = any, State = undefined, Preloaded = undefined>(
    id: Id,
    options?: SinkWriteOptions<In, State, Params, Preloaded>,
  ): Graph<Nodes & Record<Id, Ports<In, In>>, Params>
  sink(id: string, options: object = {}): Graph<any, any> {
    return this.#withNode('sink', id, options)
  }

  /** Adds a cluster: a named group of nodes, which may lie in another one (`parent`). */
  cluster(id: string, options: ClusterOptions = {}): Graph<Nodes, Params> {
    return new Graph({ ...this.#data(), clusters: [...this.clusters, Object.freeze({ ...options, id })] })
  }

  /** Connects two nodes. The same two may be connected more than once, by different path types or branches. */
  connect<
    From extends keyof Nodes & string,
    To extends keyof Nodes & string,
    const Options extends EdgeOptions<OutOf<Nodes, From>, Params> = {},
  >(
    from: From,
    to: To & Fits<Nodes, From, To, Options>,
    options?: Options,
  ): Graph<Connected<Nodes, From, To, Options>, Params> {
    return new Graph({ ...this.#data(), edges: [...this.edges, Object.freeze({ ...options, from, to })] })
  }

  /**
   * Puts another graph into this one: its ids get `prefix`, its clusters too, and all of it lies in the cluster `cluster`,
   * which is made where it does not exist.
   */
  embed<Inner extends NodeTypes, const Prefix extends string>(
    inner: Graph<Inner, Params>,
    { prefix, cluster }: { prefix: Prefix; cluster?: string },
  ): Graph<Nodes & Prefixed<Inner, Prefix>, Params> {
    const rename = (id: string): string => prefix + id
    const outer = cluster === undefined ? {} : { cluster }
    const parent = cluster === undefined ? {} : { parent: cluster }
    const known = cluster === undefined || this.clusters.some(({ id }) => id === cluster)
    return new Graph({
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

  #data(): GraphData {
    return { name: this.name, module: this.module, nodes: this.nodes, edges: this.edges, clusters: this.clusters }
  }

  #withNode(kind: NodeKind, id: string, options: object): Graph<any, any> {
    return new Graph({ ...this.#data(), nodes: [...this.nodes, freezeNode({ ...options, id, kind })] })
  }
}

/** Copies and freezes; the caller's own option objects stay as they are. */
function freezeNode(node: GraphNode): GraphNode {
  const entries = Object.entries(node).map(([key, value]) => [
    key,
    isPlainObject(value) ? Object.freeze({ ...value }) : value,
  ])
  return Object.freeze(Object.fromEntries(entries) as GraphNode)
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/**
 * Starts a graph. `module` is the module that exports the finished graph: its `import.meta.url`, or its `__filename`. Each worker
 * imports that module again and finds its handlers by the graph's name and the node's id. Without it the graph can be drawn,
 * analysed and rehearsed; handlers that are `{ module, export }` references run without it too.
 *
 * `Params` is what `run` is to be given as `params`, and what handlers find in `context.params`.
 */
export function dataflow<Params = unknown>(name: string, module?: string | URL): Graph<{}, Params> {
  return new Graph({ name, module: moduleUrl(module), nodes: [], edges: [], clusters: [] })
}
