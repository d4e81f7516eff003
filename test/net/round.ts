/** One round: a random graph, random options, random deaths, and the ledger of all that came out. */
import { inspect } from 'node:util'
import { plan as makePlan } from '#src/plan/plan.js'
import { withoutBlame } from '#src/test-kit/inline.js'
import { type Entry, keyOf, made } from '../../scripts/chaos/deeds.ts'
import { Ledger } from '../../scripts/chaos/ledger.ts'
import { Random } from '#src/test-kit/random.js'
import { type NodeShape, type Shape, shapeOf } from '../../scripts/chaos/shape.ts'
import { graphOf, receiptOf, type World } from './handlers.ts'
import { NetPipeline } from './net-pipeline.ts'
import { orderOf } from './order.ts'
import { share } from '#src/test-kit/life.js'
import { Traces } from './traces.ts'
import { VirtualClock } from '#src/test-kit/virtual-clock.js'

export interface RoundResult {
  readonly seed: number
  readonly deaths: number
  readonly steps: number
  readonly records: number
  readonly resizes: number
  readonly faults: readonly string[]
}

export async function round(
  seed: number,
  shape: Shape = resizable(limited(inThreads(shapeOf(seed)))),
): Promise<RoundResult> {
  const chances = new Random(seed ^ 0xca5e)
  const clock = new VirtualClock()
  clock.begin(() => chances.next())
  const random = new Random(seed ^ 0x0de7)
  const faults: string[] = []
  const fault = (what: string): unknown => faults.length < 5 && faults.push(what)
  const cameOut = new Map<string, Entry[]>()
  const ledger = new Ledger(shape)
  // oxlint-disable-next-line prefer-const -- handlers call it, and it needs them
  let pipeline: NetPipeline | undefined
  const isBig = random.chance(0.03)
  const world: World = {
    later: (act) => pipeline!.later(act),
    records: isBig ? random.between(1_000, 6_000) : random.between(0, 200),
    fault,
    told: new Map(),
  }
  const graph = graphOf(shape, world)
  // Rings that hold everything, rings of the smallest size, or none.
  const ring = new Random(seed ^ 0x7ace).pick([0, 1_024, 16_777_216])
  const trace = ring === 0 ? {} : { trace: { rate: 1, ring, side: ring === 1_024 ? 4_096 : ring } }
  const durable = new Random(seed ^ 0x0d15).chance(0.4) ? { durable: { dir: 'nowhere' } } : {}
  const plan = withoutBlame(
    makePlan(graph, { ...shape.run, ...trace, ...durable, maxRecordBytes: 65_536, inject: false }),
  )
  const output = (node: string, record: unknown): void => {
    ledger.add(node, record as Entry)
    const known = cameOut.get(node)
    if (known === undefined) cameOut.set(node, [record as Entry])
    else known.push(record as Entry)
  }
  const shared = await share(plan, graph, { listener: { output }, params: undefined })
  const traces = new Traces(shared.memory, plan, new Set(shape.nodes.filter(isSigning).map(({ id }) => id)))
  if (plan.trace !== undefined) shared.memory.floats[plan.trace.offset / 8] = 1
  pipeline = new NetPipeline(
    shared,
    {
      random,
      clock,
      deathShare: random.pick([0, 0.02, 0.2, 0.5, 0.8, 0.8]),
      maxDeaths: random.pick([5, 200, 800, 800]),
      drainAfter: random.chance(0.3) ? random.between(0, 2_000) : Infinity,
      flushShare: random.pick([0, 0, 0.002, 0.05]),
      leapMs: random.chance(0.2) ? 500 : 0,
      resizeShare: new Random(seed ^ 0x5ea7).pick([0, 0.002, 0.02]),
      maxSteps: isBig ? 5_000_000 : 1_000_000,
      balances: !isBig && new Random(seed ^ 0xb00c).chance(0.1),
      tick: () => traces.drain(),
    },
    fault,
  )
  try {
    await pipeline.run()
    if (faults.length === 0) pipeline.check()
    if (faults.length === 0) checkLedger()
    if (faults.length === 0 && ring > 0) checkTraces()
  } catch (error) {
    fault(inspect(error))
  } finally {
    clock.end()
  }
  return {
    seed,
    deaths: pipeline.deaths,
    steps: pipeline.steps,
    resizes: pipeline.resizes,
    records: ledger.records,
    faults,
  }

  function checkTraces(): void {
    traces.drain()
    for (const what of traces.broken()) fault(what)
    if (ring > 1_024) for (const what of traces.faults(canEmitFromBatches(shape) ? undefined : paths())) fault(what)
  }

  /** The nodes with threads that signed what came out, by output. */
  function paths(): Map<string, number> {
    const signers = new Set(
      plan.stages.map(({ node }) => node).filter((id) => isSigning(shape.nodes.find((each) => each.id === id)!)),
    )
    const found = new Map<string, number>()
    for (const [node, entries] of cameOut) {
      for (const { trail } of entries) {
        const [start, ...names] = trail.split('/')
        const ids = names.map((name) => name.replace(/[.+].*$/, '')).filter((id) => signers.has(id))
        const path = `${node} ${[start, ...ids].join('/')}`
        found.set(path, (found.get(path) ?? 0) + 1)
      }
    }
    return found
  }

  function checkLedger(): void {
    const emitted = pipeline!.emitted()
    const nodes = new Map(shape.nodes.map((node) => [node.id, node]))
    const all = function* (): Generator<readonly [NodeShape, Entry]> {
      for (const { node, ordinal, records } of emitted)
        for (let n = 0; n < records; n++) yield [nodes.get(node)!, made(nodes.get(node)!, ordinal, n)]
    }
    const { lost, duplicated, examples } = ledger.balance(all())
    if (lost + duplicated > 0) fault(`${lost} lost, ${duplicated} twice: ${examples.join('; ')}`)
    for (const { node, ordinal, records } of emitted) {
      if (!nodes.get(node)!.acks) continue
      for (let n = 0; n < records; n++) {
        const times = world.told.get(receiptOf(nodes.get(node)!, ordinal, n)) ?? 0
        // Whoever dies while it tells, tells once more.
        if (times === 1 || (times > 1 && pipeline!.deaths > 0)) continue
        fault(`record ${n} of ${node}.${ordinal} was acked ${times} times`)
        break
      }
      if (world.told.has(receiptOf(nodes.get(node)!, ordinal, records)))
        fault(`record ${records} of ${node}.${ordinal} was acked, and never sent`)
    }
    for (const [node, entries] of cameOut) checkOrder(shape, node, entries, fault)
  }
}

function isSigning({ does }: NodeShape): boolean {
  return ['map', 'flatMap', 'mapBatch', 'mapEach', 'unwrap'].includes(does)
}

/** Nobody knows which record of a batch an emitted one came of. */
function canEmitFromBatches({ nodes }: Shape): boolean {
  return nodes.some(({ emits, options }) => emits && options['batch'] !== undefined)
}

/** Where a way from a source keeps the order of all records, or of those of one key, they come out in it. */
function checkOrder(shape: Shape, output: string, entries: readonly Entry[], fault: (what: string) => void): void {
  const order = orderOf(shape, output)
  if (order === undefined) return
  const last = new Map<string, number>()
  for (const entry of entries) {
    const line = `${entry.source} ${order.by === undefined ? '' : keyOf(order.by, entry)}`
    if (entry.n < (last.get(line) ?? 0)) {
      return fault(`out of order at ${output}: ${entry.trail} after ${last.get(line)}`)
    }
    last.set(line, entry.n)
  }
}

/** Pushed sources live in the thread that called `run`: here they make their records themselves. */
function inThreads(shape: Shape): Shape {
  // Records larger than their lanes may block a loop (docs/analysis.md, deadlock).
  const hasLoop = shape.edges.some(({ options }) => options['pathType'] === 'retry')
  const nodes = shape.nodes.map((given): NodeShape => {
    const node = hasLoop ? { ...given, padding: 0 } : given
    if (node.does !== 'push') return node
    const { push: _, ...options } = node.options
    return { ...node, does: 'produce', options }
  })
  return { ...shape, nodes }
}

/** In some of the stages each key has a rate limit. */
function limited(shape: Shape): Shape {
  const random = new Random(shape.seed ^ 0x11f7)
  const fused = new Set(shape.edges.filter(({ options }) => 'fuse' in options).map(({ to }) => to))
  const nodes = shape.nodes.map((node): NodeShape => {
    const { does, options, concurrency, partitioned } = node
    const takesRecords = ['map', 'flatMap', 'filter', 'write'].includes(does) && options['batch'] === undefined
    if (!takesRecords || fused.has(node.id) || !random.chance(0.3)) return node
    const { dispatch, ...kept } = options
    const isSpread = concurrency > 1 || partitioned
    const rateLimit = {
      perSecond: random.pick([500, 5_000, 20_000]),
      ...(random.chance(0.5) ? { burst: random.pick([1, 2, 30]) } : {}),
      keys: random.pick([1, 2, 1_000]),
    }
    const isDispatched = !isSpread && dispatch !== undefined
    return {
      ...node,
      limited: true,
      partitioned: isSpread,
      options: { ...kept, rateLimit, ...(isDispatched ? { dispatch } : {}) },
    }
  })
  return { ...shape, nodes }
}

/** Some of the stages can be resized. What a broadcast copies depends on how many workers there are, so none of those. */
function resizable(shape: Shape): Shape {
  const random = new Random(shape.seed ^ 0x5ea7)
  const hasLoop = shape.edges.some(({ options }) => options['pathType'] === 'retry')
  const fused = new Set(shape.edges.filter(({ options }) => 'fuse' in options).map(({ to }) => to))
  const nodes = shape.nodes.map((node): NodeShape => {
    const { does, kind, partitioned, options, concurrency } = node
    const isStage = (kind === 'transform' || kind === 'sink') && does !== 'output' && !fused.has(node.id)
    const isSafe = options['dispatch'] !== 'broadcast' && !(hasLoop && partitioned) && (partitioned || !node.limited)
    if (!isStage || !isSafe || !random.chance(0.3)) return node
    return { ...node, options: { ...options, maxConcurrency: concurrency + random.between(1, 3) } }
  })
  return { ...shape, nodes }
}
