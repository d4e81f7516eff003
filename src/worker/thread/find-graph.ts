import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../../errors.ts'
import { type GraphData, type GraphMaker, lookOutFor, seenGraph, serialOf } from '../../plan/definition.ts'
import { importModule } from './load.ts'
import type { WorkerTask } from './protocol.ts'

type Exports = Readonly<Record<string, unknown>>
/** What `run` may be given. */
type Given = GraphData | GraphMaker

/** A module that `run` is called in before it exports its graph: by an async function, say. So long is waited for that. */
const LATE_MS = 1_000

/** Somebody loads a module for its graph. */
interface Search {
  /** Takes what `run` was given; false where another graph is looked for. */
  take(given: Given): boolean
  isOver: boolean
}

/** What all copies of this library in a thread share: loaders of TypeScript may load a second one. */
interface Found {
  /** The searches of this thread. */
  readonly searches: Search[]
  /** What `run` was given in a worker before it looked for its graph: a bundle comes to its `run` first. Undefined elsewhere. */
  early: Given[] | undefined
}

const SEARCHES = Symbol.for('millrace.searches')
const shared = ((globalThis as { [SEARCHES]?: Found })[SEARCHES] ??= { searches: [], early: undefined })
const { searches } = shared

/** This thread is a worker, and will look for its graph. */
export function beWorker(): void {
  shared.early = []
}

/**
 * Called by `run`. A module that is loaded for its graph may call `run` itself: whoever looks for the graph takes it, and the
 * call goes no further.
 * @returns false where nobody looks for this graph
 * @throws RUN_WHILE_LOADING where a worker loads the module for another graph
 */
export function handOver(given: Given): boolean {
  if (shared.early !== undefined && searches.length === 0) return shared.early.push(given) > 0
  if (searches.some((search) => search.take(given))) return true
  if (searches.some(({ isOver }) => !isOver)) throw new MillraceError('RUN_WHILE_LOADING', { graph: given.name })
  return false
}

/**
 * Loads a module until `pick` has found in its exports what is looked for, or until the module gives that to `run`.
 * @param takes what is found in what `run` was given; undefined: something else
 * @returns undefined where the module is loaded and there was neither
 */
export async function searchModule<T>(
  loading: Promise<Exports>,
  pick: (exports: Exports) => T | undefined,
  takes: (given: Given) => T | undefined,
  lateMs = LATE_MS,
): Promise<T | undefined> {
  let take!: (found: T) => void
  const given = new Promise<T>((resolve) => (take = resolve))
  const search: Search = {
    isOver: false,
    take: (offered) => {
      const found = takes(offered)
      if (found !== undefined) take(found)
      return found !== undefined
    },
  }
  loading.catch(() => undefined)
  searches.push(search)
  const offers = shared.early ?? []
  shared.early = undefined
  try {
    if (offers.length > 0 && !offers.some((offered) => search.take(offered)))
      throw new MillraceError('RUN_WHILE_LOADING', { graph: offers[0]!.name })
    const exported = loading.then(async (exports) => pick(exports) ?? sleep(lateMs, undefined))
    return await Promise.race([given, exported])
  } finally {
    searches.splice(searches.indexOf(search), 1)
  }
}

/** A module's URL without its query: loaders add one of their own in workers. */
function plainUrl(module: string | undefined): string | undefined {
  return module?.replace(/[?#].*/s, '')
}

/** A test file fails where its runner is not, so in a worker, but only after it has made its graphs. */
function isInTest(): boolean {
  return ['VITEST', 'JEST_WORKER_ID', 'NODE_TEST_CONTEXT'].some((name) => process.env[name] !== undefined)
}

/** What a worker looks for. */
interface Wanted extends Pick<WorkerTask, 'graph' | 'maker' | 'params' | 'serial'> {
  readonly module: string
  readonly loader: string
}

/** What a worker has found: the graph, and, where a function has made it, that function. */
export interface FoundGraph {
  readonly graph: GraphData
  readonly maker: GraphMaker | undefined
}

/**
 * Finds a graph in its module: as the one that the module makes in the same place as in the thread of `run`, by name among the
 * exports, or as what the module gives to `run`; or the function that makes it.
 * @param module from where it is loaded; a bundle's graphs may name none
 * @throws MODULE_NOT_LOADED, GRAPH_NOT_EXPORTED, RUN_WHILE_LOADING
 */
export async function importGraph({
  module,
  graph: { name, module: own },
  maker,
  params,
  serial,
  loader,
}: Wanted): Promise<FoundGraph> {
  let exported: Exports = {}
  lookOutFor(own, maker === undefined ? serial : undefined)
  const made = (): GraphData | undefined => {
    const graph = maker === undefined ? seenGraph() : undefined
    return isGraph(graph) && graph.name === name ? graph : undefined
  }
  const isWanted = (value: unknown): value is Given =>
    maker === undefined
      ? hasName(value, name) && isGraph(value)
      : typeof value === 'function' && value.name === maker.name
  const pick = (exports: Exports): Given | undefined => {
    exported = exports
    const byExport = maker && exports[maker.name]
    if (typeof byExport === 'function') return byExport as GraphMaker
    const exportedOne = Object.values(exports).find(isWanted)
    const isSame = isGraph(exportedOne) && serialOf(exportedOne) === serial
    return isSame ? exportedOne : (made() ?? exportedOne)
  }
  const isOwn = (given: Given): boolean =>
    (typeof given === 'function' || plainUrl(given.module) === plainUrl(own)) && isWanted(given)
  // Before the `run` of another graph the own one may be made already.
  const takes = (given: Given): Given | undefined => (isOwn(given) ? given : made())
  const loading = async (): Promise<Exports> => {
    try {
      return await importModule(module, loader)
    } catch (error) {
      if (made() === undefined || !isInTest()) throw error
      return {}
    }
  }
  // A bundle has made it before anybody looks, and need not know where it lies itself.
  const found = made() ?? (await searchModule(loading(), pick, takes))
  // The module may come to its `run` only later, and to those of its other graphs, which run where this worker was started.
  const isOfModule = (given: Given): boolean =>
    typeof given !== 'function' && given.module !== undefined && plainUrl(given.module) === plainUrl(own)
  searches.push({ isOver: true, take: (given) => isOwn(given) || isOfModule(given) })
  if (isGraph(found)) return { graph: found, maker: undefined }
  const graph: unknown = found?.(params)
  if (isGraph(graph)) return { graph, maker: found }
  throw new MillraceError('GRAPH_NOT_EXPORTED', {
    module,
    graph: name,
    ...(maker === undefined ? {} : { function: maker.name }),
    exported: Object.entries(exported).flatMap(([key, value]) =>
      isGraph(value) ? [value.name] : typeof value === 'function' ? [`${key}()`] : [],
    ),
  })
}

/** Calls a function that makes a graph. @throws MAKER_INVALID */
export function graphOf(maker: GraphMaker, params: unknown): GraphData {
  const refuse = (reason: string): never => {
    throw new MillraceError('MAKER_INVALID', { function: maker.name, reason })
  }
  if (maker.name === '') refuse('it has no name, by which workers could find it')
  const graph: unknown = maker(params)
  return isGraph(graph) ? graph : refuse('it did not return a graph')
}

/** A graph that a module exports may come of another copy of this library; so it is told by its parts. */
export function isGraph(value: unknown): value is GraphData {
  if (typeof value !== 'object' || value === null) return false
  try {
    const { name, nodes, edges, clusters } = value as Partial<GraphData>
    return typeof name === 'string' && Array.isArray(nodes) && Array.isArray(edges) && Array.isArray(clusters)
  } catch (error) {
    // A flow with problems is one too: whoever wants it learns of them, and whoever wants another one does not.
    if ((error as { readonly code?: unknown }).code === 'FLOW_INVALID') return true
    throw error
  }
}

/** Asked before all else: a flow makes its nodes when they are looked at. */
function hasName(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && (value as { readonly name?: unknown }).name === name
}
