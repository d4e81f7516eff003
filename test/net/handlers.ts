/** The handlers of a random graph, as the net calls them: they die, wait, fail and check what they are given. */
import type { AckContext, BatchFacts, Context, Failure, GraphData, SourceContext } from 'millrace/graph'
import { mark } from 'millrace/graph'
import * as deeds from '../../scripts/chaos/deeds.ts'
import { type Entry, dice } from '../../scripts/chaos/deeds.ts'
import { Metas } from '../../scripts/chaos/metas.ts'
import type { NodeShape, Shape } from '../../scripts/chaos/shape.ts'
import { fuse } from '#src/test-kit/fuse.js'

/** What handlers need of the net. */
export interface World {
  /** Calls `act` when the scheduler says so; never, where the worker that waits has died by then. */
  later<T>(act: () => T): Promise<T>
  /** Records that each source worker makes before it ends. */
  readonly records: number
  /** Something is not as it was promised. */
  fault(what: string): void
  /** How often `ack` was told of each receipt. */
  readonly told: Map<string, number>
}

export function graphOf(shape: Shape, world: World): GraphData {
  const handlers = new NetHandlers(shape, world)
  const nodes = shape.nodes.map((node) => ({ id: node.id, kind: node.kind, ...node.options, ...handlers.of(node) }))
  const edges = shape.edges.map(({ from, to, selects, options }) => ({
    from,
    to,
    ...options,
    ...(selects ? { selector: select } : {}),
  }))
  return { name: `net-${shape.seed}`, nodes, edges, clusters: [] }
}

export function receiptOf(node: NodeShape, worker: number, n: number): string {
  return `${node.id}.${worker}:${n}`
}

function select(entry: Entry, worker: number): boolean {
  fuse.visit()
  return deeds.isSelected(entry, worker)
}

class NetHandlers {
  readonly #world: World
  readonly #metas: Metas
  /** Receipts that `ack` was called with. */
  readonly #acked = new Set<string>()
  /** By source worker. */
  readonly #watermarks = new Map<string, number>()
  /** What stages with a limit by key were called with; and by node and key, when so many may be called as at the beginning. */
  readonly #called = new Set<string>()
  readonly #freshAt = new Map<string, number>()

  constructor(shape: Shape, world: World) {
    this.#world = world
    this.#metas = new Metas(shape)
  }

  of(node: NodeShape): object {
    const { concurrency, acks, partitioned, batchedByKey, weighs, preloads, limited, failures, options } = node
    const isStage = ['source', 'transform', 'sink'].includes(node.kind) && node.does !== 'output'
    const keyOf = (entry: Entry): number => {
      fuse.visit()
      return deeds.keyOf(node, entry)
    }
    const weightOf = (entry: Entry): number => {
      fuse.visit()
      return deeds.weightOf(node, entry)
    }
    return {
      ...(isStage ? { concurrency } : {}),
      ...(node.finishes ? { finish: (context: SourceContext) => this.#finish(node, context) } : {}),
      ...(acks
        ? {
            ack: (successes: readonly string[], failures: readonly string[], context: AckContext) => {
              this.#checkWatermark(node, [...successes, ...failures], context)
              return this.#tell(successes)
            },
          }
        : {}),
      ...(partitioned ? { partitionBy: keyOf } : {}),
      ...(limited === true ? { rateLimit: { ...(options['rateLimit'] as object), by: keyOf } } : {}),
      ...(preloads ? { preload: (entries: readonly Entry[]) => this.#preload(node, entries) } : {}),
      ...(options['retry'] === undefined
        ? {}
        : { retry: { ...(options['retry'] as object), when: isWorthRetry(failures) } }),
      ...(options['batch'] === undefined
        ? {}
        : {
            batch: {
              ...(options['batch'] as object),
              ...(batchedByKey ? { by: keyOf } : {}),
              ...(weighs ? { weigh: weightOf } : {}),
            },
          }),
      ...this.#handler(node),
    }
  }

  #handler(node: NodeShape): object {
    switch (node.does) {
      case 'produce':
        return {
          produce: (context: SourceContext) =>
            node.answers === 'sync' ? this.#producing(node, context) : this.#producingSlowly(node, context),
        }
      case 'poll':
        return { poll: this.#polling(node) }
      case 'push':
      case 'output':
      case 'pass':
        return {}
      case 'route':
        return {
          route: (entry: Entry) => {
            fuse.visit()
            return deeds.routeOf(node, entry)
          },
        }
      case 'unwrap':
        return { map: ({ input }: Failure<Entry>) => this.#doOne(node, input) }
      default:
        return { [node.does]: (given: never, context: Context) => this.#call(node, given, context) }
    }
  }

  #call(node: NodeShape, given: Entry & readonly Entry[], context: Context): unknown {
    const isBatch = node.options['batch'] !== undefined || node.does === 'mapBatch'
    if (isBatch) this.#checkBatch(node, given, context.batch)
    if (node.limited === true && !node.preloads) this.#checkLimit(node, given)
    this.#checkMeta(node, isBatch ? given : [given], context)
    const first = isBatch ? given[0]! : given
    const act = (): unknown => (isBatch ? this.#handleBatch(node, given, context) : this.#handle(node, given, context))
    const isSync = node.answers === 'sync' || (node.answers === 'sometimes' && dice(node, first) % 2 === 0)
    return isSync ? act() : this.#world.later(act)
  }

  #preload(node: NodeShape, entries: readonly Entry[]): unknown {
    const most = (node.options['preloadSize'] as number | undefined) ?? 100
    if (entries.length === 0 || entries.length > most)
      this.#world.fault(`${entries.length} records are looked up at ${node.id}, where the most is ${most}`)
    const act = (): readonly string[] => {
      fuse.visit()
      return entries.map((entry) => deeds.preloadedOf(node, entry))
    }
    const isSync = node.answers === 'sync' || (node.answers === 'sometimes' && dice(node, entries[0]!) % 3 === 0)
    return isSync ? act() : this.#world.later(act)
  }

  /** No key goes above its limit, whoever dies and whatever is resized. A record that is called once more is not counted. */
  #checkLimit(node: NodeShape, entry: Entry): void {
    const { perSecond, burst } = node.options['rateLimit'] as { perSecond: number; burst?: number }
    const call = `${node.id} ${entry.trail}`
    if (fuse.isDead || this.#called.has(call)) return
    this.#called.add(call)
    const most = burst ?? Math.max(1, Math.floor(perSecond / 100)) + perSecond / 10
    const key = `${node.id} ${deeds.keyOf(node, entry)}`
    const now = performance.now()
    const everyMs = 1_000 / perSecond
    const freshAt = Math.max(this.#freshAt.get(key) ?? 0, now) + everyMs
    this.#freshAt.set(key, freshAt)
    const taken = (freshAt - now) / everyMs
    if (taken > most + 1) this.#world.fault(`${taken} records of key ${key} at once, where the most is ${most}`)
  }

  #checkBatch(node: NodeShape, given: readonly Entry[], facts: BatchFacts | undefined): void {
    const { size, maxWeight = Infinity } = (node.options['batch'] ?? { size: 100 }) as {
      size: number
      maxWeight?: number
    }
    if (given.length > size) this.#world.fault(`a batch of ${given.length} at ${node.id}, where the size is ${size}`)
    const keys = new Set(node.batchedByKey ? given.map((entry) => deeds.keyOf(node, entry)) : [])
    const weight = node.weighs ? given.reduce((sum, entry) => sum + deeds.weightOf(node, entry), 0) : undefined
    if (weight !== undefined && weight > maxWeight && given.length > 1)
      this.#world.fault(`a batch of ${weight} at ${node.id}, where the most is ${maxWeight}`)
    // Whoever is dead and has not noticed yet knows nothing.
    if (fuse.isDead) return
    const [key] = keys
    const told = [facts?.size, facts?.weight, facts?.key]
    if (told[0] !== given.length || told[1] !== weight || told[2] !== key)
      this.#world.fault(
        `a batch of ${given.length}, ${weight}, ${key} at ${node.id}, and told ${told.join()}, completed by ${facts?.trigger}`,
      )
    if (keys.size > 1) this.#world.fault(`a batch of ${keys.size} keys at ${node.id}`)
  }

  #checkMeta(node: NodeShape, given: readonly Entry[], { meta, batch }: Context): void {
    if (fuse.isDead) return
    given.forEach((entry, i) => {
      const found = batch === undefined ? meta : batch.metaAt(i)
      if (!this.#metas.isRight(node, entry, found))
        this.#world.fault(`${entry.trail} at ${node.id} has the meta ${JSON.stringify(found)}`)
    })
  }

  *#producing(node: NodeShape, { cursor, worker }: SourceContext): Generator {
    for (let n = (cursor as number | undefined) ?? 0; n < this.#world.records; n++) {
      fuse.visit()
      yield recordOf(node, worker, n)
    }
  }

  async *#producingSlowly(node: NodeShape, context: SourceContext): AsyncGenerator {
    for (const record of this.#producing(node, context)) {
      yield record
      if (dice(node, { source: 0, n: 0, trail: String(Math.trunc(performance.now() * 1e3)) }) % 20 === 0)
        await this.#world.later(() => undefined)
    }
  }

  /** Some more records, in each of the ways in which they may come. */
  #finish(node: NodeShape, { worker, emitted: first }: SourceContext): unknown {
    const records = Array.from({ length: first % 7 }, (_, i) => recordOf(node, worker, first + i))
    fuse.visit()
    if (first % 7 === 0) return undefined
    if (node.answers === 'sync') return records
    return first % 2 === 0 ? this.#world.later(() => records) : this.#finishSlowly(records)
  }

  async *#finishSlowly(records: readonly unknown[]): AsyncGenerator {
    for (const record of records) {
      fuse.visit()
      yield await this.#world.later(() => record)
    }
  }

  /** Where a life of a source goes on: behind its cursor, or, where it has none, behind what was handed on. */
  #polling(node: NodeShape) {
    const nexts = new WeakMap<SourceContext, number>()
    const poll = (demand: number, context: SourceContext): unknown[] | null => {
      fuse.visit()
      const { cursor, emitted, worker } = context
      let next = nexts.get(context) ?? (node.cursorEvery > 0 ? ((cursor as number | undefined) ?? 0) : emitted)
      const records: unknown[] = []
      while (records.length < demand && next < this.#world.records) records.push(recordOf(node, worker, next++))
      nexts.set(context, next)
      return records.length > 0 || demand === 0 ? records : null
    }
    if (node.answers === 'sync') return poll
    return (demand: number, context: SourceContext) => this.#world.later(() => poll(demand, context))
  }

  /** It never goes back, and whatever lies below it has ended. A record's cursor is the next one's number. */
  #checkWatermark(node: NodeShape, receipts: readonly string[], { watermark = 0, worker }: AckContext): void {
    for (const receipt of receipts) this.#acked.add(receipt)
    if (fuse.isDead) return
    const place = `${node.id}.${worker}`
    const before = this.#watermarks.get(place) ?? 0
    const now = watermark as number
    if (now < before) this.#world.fault(`the watermark of ${place} is ${now} after ${before}`)
    for (let n = before; n < now; n++)
      if (!this.#acked.has(receiptOf(node, worker, n)))
        this.#world.fault(`the watermark of ${place} is ${now}, and record ${n} was not acked`)
    this.#watermarks.set(place, now)
  }

  #tell(successes: readonly string[]): unknown {
    fuse.visit()
    const act = (): void =>
      successes.forEach((receipt) => this.#world.told.set(receipt, (this.#world.told.get(receipt) ?? 0) + 1))
    return successes.length % 2 === 0 ? this.#world.later(act) : act()
  }

  #handle(node: NodeShape, entry: Entry, context: Context): unknown {
    fuse.visit()
    const preloaded = node.preloads ? deeds.preloadedOf(node, entry) : undefined
    if (context.preloaded !== preloaded)
      this.#world.fault(`${entry.trail} at ${node.id} is given ${String(context.preloaded)}`)
    if (deeds.isHopeless(node, entry)) {
      if (entry.n % 2 === 0) throw new TypeError('never')
      if (node.emits) context.emit('more', entry)
      context.fail(entry, new TypeError('never'))
      return undefined
    }
    if (context.attempt <= deeds.failuresOf(node, entry)) throw new Error('not yet')
    for (const more of deeds.emitted(node, entry)) context.emit('more', more)
    const found = this.#doOne(node, entry)
    if (node.does === 'filter') return (found as readonly Entry[]).length > 0
    return found
  }

  #doOne(node: NodeShape, entry: Entry): unknown {
    fuse.visit()
    const found = deeds.outputs(node, entry)
    return node.does === 'flatMap' || node.does === 'filter' ? found : found[0]
  }

  #handleBatch(node: NodeShape, entries: readonly Entry[], context: Context): unknown {
    fuse.visit()
    if (context.attempt <= deeds.failuresOf(node, entries[0]!)) throw new Error('not yet')
    const good = entries.filter((entry) => !deeds.isHopeless(node, entry))
    entries.forEach((entry, i) => {
      if (!deeds.isHopeless(node, entry)) return
      if (entry.n % 2 === 0) context.failAt(i, new TypeError('never'))
      else context.fail(entry, new TypeError('never'))
    })
    for (const more of good.flatMap((entry) => deeds.emitted(node, entry))) context.emit('more', more)
    // One for each, those that fail included.
    if (node.does === 'mapEach') return entries.map((entry) => deeds.outputs(node, entry)[0])
    return good.flatMap((entry) => deeds.outputs(node, entry))
  }
}

/** What fails at every attempt is given up after those that may fail; a call that was late may be as often as it is. */
function isWorthRetry(failures: number) {
  return (error: unknown, attempt: number): boolean =>
    attempt <= failures || (error as { code?: string }).code === 'HANDLER_TIMEOUT'
}

function recordOf(node: NodeShape, worker: number, n: number): unknown {
  const { acks, cursorEvery, metas } = node
  const cursor = cursorEvery > 0 && n % cursorEvery === 0 ? n + 1 : undefined
  const entry = deeds.made(node, worker, n)
  const meta = metas ? deeds.metaOf(entry) : undefined
  if (!acks && cursor === undefined && meta === undefined) return entry
  return mark(entry, { cursor, meta, ...(acks ? { receipt: receiptOf(node, worker, n) } : {}) })
}
