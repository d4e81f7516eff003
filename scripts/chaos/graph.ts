/** The graph of one round, as its workers load it: `graph.js?seed=S` exports the graph of seed S. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import type { Context, Failure, GraphData, SetupContext, SourceContext } from 'millrace/graph'
import { mark } from 'millrace/graph'
import { die } from './deaths.ts'
import * as deeds from './deeds.ts'
import { type Entry, dice } from './deeds.ts'
import { Metas } from './metas.ts'
import { KINDS, type Kind, Orders } from './orders.ts'
import { type NodeShape, type Shape, shapeOf } from './shape.ts'

const seed = Number(new URL(import.meta.url).searchParams.get('seed'))
const orders = Orders.of(seed)
const shape = shapeOf(seed)
const metas = new Metas(shape)
/** This thread's worker, among those of all nodes; none in the thread that runs the pipeline. */
let worker: number | undefined

/** Handlers call this wherever a death could come. */
function live(kinds?: readonly Kind[]): void {
  const kind = worker === undefined ? undefined : orders.obey(worker, kinds)
  if (kind !== undefined) die(kind)
}

/** An endless loop of a `setup` would be found after `startDeadlineMs`, which is long. */
const AT_START = KINDS.filter((kind) => kind !== 'endless')

export function graphOf(shape: Shape, module: string): GraphData {
  const nodes = shape.nodes.map((node) => ({ id: node.id, kind: node.kind, ...node.options, ...optionsOf(node) }))
  const edges = shape.edges.map(({ from, to, selects, options }) => ({
    from,
    to,
    ...options,
    ...(selects ? { selector: select } : {}),
  }))
  return { name: `chaos-${shape.seed}`, module, nodes, edges, clusters: [] }
}

function optionsOf(node: NodeShape): object {
  const { concurrency, acks, partitioned, batchedByKey, weighs, preloads, failures, options } = node
  const isStage = ['source', 'transform', 'sink'].includes(node.kind) && node.does !== 'output'
  return {
    ...(isStage ? { concurrency } : {}),
    // What is pushed lives in the thread that runs the pipeline.
    ...(isStage && node.does !== 'push' ? { setup: setupOf(node) } : {}),
    ...(acks ? { ack: tell } : {}),
    ...(partitioned ? { partitionBy: keyOf(node) } : {}),
    ...(preloads ? { preload: preloadOf(node) } : {}),
    ...(options['retry'] === undefined
      ? {}
      : { retry: { ...(options['retry'] as object), when: isWorthRetry(failures) } }),
    ...(options['batch'] === undefined
      ? {}
      : {
          batch: {
            ...(options['batch'] as object),
            ...(batchedByKey ? { by: keyOf(node) } : {}),
            ...(weighs ? { weigh: weightOf(node) } : {}),
          },
        }),
    ...handlerOf(node),
  }
}

/** What fails at every attempt is given up after those that may fail; a call that was late may be as often as it is. */
function isWorthRetry(failures: number) {
  return (error: unknown, attempt: number): boolean =>
    attempt <= failures || (error as { code?: string }).code === 'HANDLER_TIMEOUT'
}

function setupOf({ firstWorker }: NodeShape) {
  return (context: SetupContext): void => {
    if (isMainThread) return
    worker = firstWorker + context.worker
    live(AT_START)
  }
}

function handlerOf(node: NodeShape): object {
  switch (node.does) {
    case 'produce':
      return {
        produce: (context: SourceContext) =>
          node.answers === 'sync' ? producing(node, context) : producingSlowly(node, context),
      }
    case 'poll':
      return { poll: polling(node) }
    case 'push':
    case 'output':
    case 'pass':
      return {}
    case 'route':
      return {
        route: (entry: Entry) => {
          live()
          return deeds.routeOf(node, entry)
        },
      }
    case 'unwrap':
      return { map: ({ input }: Failure<Entry>) => doOne(node, input) }
    case 'map':
    case 'filter':
    case 'flatMap':
      return {
        [node.does]: (entry: Entry, context: Context) => answer(node, entry, () => handle(node, entry, context)),
      }
    default: {
      const isBatch = node.options['batch'] !== undefined
      return {
        [node.does]: (given: Entry & Entry[], context: Context) =>
          answer(node, isBatch ? given[0]! : given, () =>
            isBatch ? handleBatch(node, given, context) : handle(node, given, context),
          ),
      }
    }
  }
}

function keyOf(node: NodeShape) {
  return (entry: Entry): number => {
    live()
    return deeds.keyOf(node, entry)
  }
}

function preloadOf(node: NodeShape) {
  return (entries: readonly Entry[]): unknown =>
    answer(node, entries[0]!, () => {
      live()
      return entries.map((entry) => deeds.preloadedOf(node, entry))
    })
}

function weightOf(node: NodeShape) {
  return (entry: Entry): number => {
    live()
    return deeds.weightOf(node, entry)
  }
}

function select(entry: Entry, worker: number): boolean {
  live()
  return deeds.isSelected(entry, worker)
}

function* producing(node: NodeShape, { cursor, worker: own }: SourceContext): Generator {
  for (let n = (cursor as number | undefined) ?? 0; !orders.endsBefore(node.firstWorker + own, n); n++) {
    live()
    yield recordOf(node, own, n)
  }
}

async function* producingSlowly(node: NodeShape, context: SourceContext): AsyncGenerator {
  for (const record of producing(node, context)) {
    yield record
    if (Math.random() < 0.05) await sleep(1)
  }
}

/** Where a life of a source goes on: behind its cursor, or, where it has none, behind what was handed on. */
function polling(node: NodeShape) {
  let next: number | undefined
  const poll = (demand: number, { cursor, emitted, worker: own }: SourceContext): unknown[] | null => {
    live()
    next ??= node.cursorEvery > 0 ? ((cursor as number | undefined) ?? 0) : emitted
    const records: unknown[] = []
    while (records.length < demand) {
      if (orders.endsBefore(node.firstWorker + own, next)) return records.length > 0 ? records : null
      records.push(recordOf(node, own, next++))
    }
    return records
  }
  if (node.answers === 'sync') return poll
  return async (demand: number, context: SourceContext): Promise<unknown[] | null> => {
    if (Math.random() < 0.2) await sleep(1)
    return poll(demand, context)
  }
}

function recordOf(node: NodeShape, own: number, n: number): unknown {
  const { acks, cursorEvery, firstWorker, metas: marks } = node
  const cursor = cursorEvery > 0 && n % cursorEvery === 0 ? n + 1 : undefined
  const entry = deeds.made(node, own, n)
  const meta = marks ? deeds.metaOf(entry) : undefined
  if (!acks && cursor === undefined && meta === undefined) return entry
  return mark(entry, { cursor, meta, ...(acks ? { receipt: Orders.receipt(firstWorker + own, n) } : {}) })
}

function tell(successes: readonly unknown[]): void {
  live()
  for (const receipt of successes) orders.tell(receipt as number)
}

/** Answers as the node's handlers do: at once, with a promise, or now and then with one. */
function answer<T>(node: NodeShape, entry: Entry, act: () => T): T | Promise<T> {
  const { answers } = node
  if (answers === 'sync' || (answers === 'sometimes' && dice(node, entry) % 2 === 0)) return act()
  return sleep(dice(node, entry) % 3).then(act)
}

function handle(node: NodeShape, entry: Entry, context: Context): unknown {
  if (!metas.isRight(node, entry, context.meta)) throw new Error('the meta of another record')
  if (node.preloads && context.preloaded !== deeds.preloadedOf(node, entry)) throw new Error('not what was looked up')
  if (context.attempt <= deeds.failuresOf(node, entry)) throw new Error('not yet')
  if (deeds.isHopeless(node, entry)) throw new TypeError('never')
  const found = doOne(node, entry)
  for (const more of deeds.emitted(node, entry)) context.emit('more', more)
  if (node.does === 'filter') return Array.isArray(found) ? found.length > 0 : true
  return found
}

function doOne(node: NodeShape, entry: Entry): unknown {
  live()
  const found = deeds.outputs(node, entry)
  live()
  return node.does === 'flatMap' || node.does === 'filter' ? found : found[0]
}

function handleBatch(node: NodeShape, entries: readonly Entry[], context: Context): unknown {
  live()
  if (!entries.every((entry, i) => metas.isRight(node, entry, context.batch!.metaAt(i))))
    throw new Error('the meta of another record')
  if (context.attempt <= deeds.failuresOf(node, entries[0]!)) throw new Error('not yet')
  const good = entries.filter((entry) => !deeds.isHopeless(node, entry))
  for (const entry of entries) if (deeds.isHopeless(node, entry)) context.fail(entry, new TypeError('never'))
  // One for each, those that fail included.
  const made = node.does === 'mapEach' ? entries : good
  const found = made.flatMap((entry) => deeds.outputs(node, entry))
  for (const more of good.flatMap((entry) => deeds.emitted(node, entry))) context.emit('more', more)
  live()
  return found
}

export default graphOf(shape, import.meta.url)
