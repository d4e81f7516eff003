import { setTimeout as sleep } from 'node:timers/promises'
import { type GraphData, type Pipeline, type PipelineEvent, MillraceError, run } from 'millrace'
import { type Entry, made } from './deeds.ts'
import { type Balance, Ledger } from './ledger.ts'
import { KINDS, type Kind, Orders } from './orders.ts'
import { Random } from '#src/test-kit/random.js'
import { type NodeShape, type Shape, shapeOf } from './shape.ts'

/** What came of one round. */
export interface RoundResult extends Balance {
  readonly seed: number
  readonly kills: Readonly<Record<Kind, number>>
  readonly records: number
  /** By the kind of the death that was recovered from. */
  readonly recoveriesMs: Readonly<Record<Kind, readonly number[]>>
  /** What is wrong beside lost and duplicated records. */
  readonly faults: readonly string[]
}

/** A victim dies within this time, or is left alone: no record may come to it. */
const PATIENCE_MS = 700
/** A round whose sources have ended is over within this time; and so is a worker that carries out its order. */
const END_MS = 30_000
const MOST_AT_ONCE = 3
const LOOK_MS = 5
const MOST_LOOKS = 100

/** Runs one random graph, kills its workers so often, and holds what came out against what should. */
export async function round(seed: number, kills: number): Promise<RoundResult> {
  const shape = shapeOf(seed)
  const orders = Orders.create(seed)
  const { default: graph } = (await import(new URL(`./graph.js?seed=${seed}`, import.meta.url).href)) as {
    default: GraphData
  }
  const restart = { maxRestarts: 1_000_000, maxBackoffMs: 20 }
  const pipeline = await run(graph, { ...shape.run, restart, maxRecordBytes: 65_536, stallMs: 15_000 })
  return new Round(shape, orders, pipeline).play(kills).finally(() => Orders.drop(seed))
}

class Round {
  readonly #shape: Shape
  readonly #orders: Orders
  readonly #pipeline: Pipeline
  readonly #random: Random
  readonly #ledger: Ledger
  readonly #kills = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>
  readonly #recoveriesMs = Object.fromEntries(KINDS.map((kind) => [kind, [] as number[]])) as Record<Kind, number[]>
  /** What each worker died of last. */
  readonly #causes = new Map<number, Kind>()
  readonly #faults: string[] = []
  /** Resolves the death of a worker that was ordered to die. */
  readonly #victims = new Map<number, () => void>()
  #isEnding = false

  constructor(shape: Shape, orders: Orders, pipeline: Pipeline) {
    this.#shape = shape
    this.#orders = orders
    this.#pipeline = pipeline
    this.#random = new Random(shape.seed ^ 0x5eed)
    this.#ledger = new Ledger(shape)
    pipeline.events.on('worker.died', (event) => {
      this.#victims.get(this.#workerOf(event))?.()
      const cause = String(event['cause'])
      if (cause.includes('INTERNAL')) this.#faults.push(cause)
    })
    pipeline.events.on('worker.restarted', (event) => {
      const kind = this.#causes.get(this.#workerOf(event))
      if (kind !== undefined) this.#recoveriesMs[kind].push(event['tookMs'] as number)
    })
    pipeline.events.on('pipeline.stalled', ({ forMs }) => this.#faults.push(`stalled for ${String(forMs)} ms`))
  }

  async play(kills: number): Promise<RoundResult> {
    const reading = this.#nodesThat('output').map((node) => this.#read(node))
    const pushing = this.#nodesThat('push').map((node) => this.#push(node))
    await this.#kill(kills)
    this.#isEnding = true
    this.#orders.letSourcesEnd()
    const pushed = await Promise.all(pushing)
    if (pushing.length > 0) void this.#drain()
    await this.#end()
    await Promise.all(reading)
    const balance = this.#ledger.balance(this.#made(pushed))
    this.#checkAcks()
    const { records } = this.#ledger
    const told = { kills: this.#kills, recoveriesMs: this.#recoveriesMs, faults: this.#faults }
    return { seed: this.#shape.seed, records, ...balance, ...told }
  }

  async #kill(kills: number): Promise<void> {
    const random = this.#random
    const open = new Set<Promise<boolean>>()
    let ordered = 0
    while ((ordered < kills || open.size > 0) && this.#pipeline.state === 'running') {
      if (ordered - this.#sum() < MOST_AT_ONCE && ordered < kills) {
        const [node, ordinal] = this.#victim()
        const worker = node.firstWorker + ordinal
        if (!this.#victims.has(worker)) {
          ordered++
          const dying = this.#killOne(node, ordinal, random.pick(kindsOf(node)))
          open.add(dying)
          const settle = (hasDied: boolean): void => {
            open.delete(dying)
            if (!hasDied) ordered--
          }
          void dying.then(settle)
        }
        await this.#flow(random.chance(0.3) ? 0 : random.between(1, 200))
      } else await Promise.race(open)
    }
  }

  /** Waits until so many more records have come out: a death where nothing flows would prove little. */
  async #flow(records: number): Promise<void> {
    const until = this.#ledger.records + records
    for (let looks = 0; this.#ledger.records < until && looks < MOST_LOOKS; looks++) await sleep(LOOK_MS)
  }

  #sum(): number {
    return KINDS.reduce((sum, kind) => sum + this.#kills[kind], 0)
  }

  #victim(): readonly [node: NodeShape, ordinal: number] {
    const nodes = this.#shape.nodes.filter(
      ({ kind, does, id }) =>
        ['source', 'transform', 'sink'].includes(kind) && does !== 'push' && does !== 'output' && this.#isStage(id),
    )
    const node = this.#random.pick(nodes)
    return [node, this.#random.between(0, node.concurrency - 1)]
  }

  /** Fused nodes live in another node's workers. */
  #isStage(id: string): boolean {
    return this.#pipeline.plan.stages.some(({ node }) => node === id)
  }

  /** @returns whether the worker died of it */
  async #killOne(node: NodeShape, ordinal: number, kind: Kind): Promise<boolean> {
    const worker = node.firstWorker + ordinal
    this.#causes.set(worker, kind)
    const death = new Promise<true>((resolve) => this.#victims.set(worker, () => resolve(true)))
    const terminate = (): Promise<void> => this.#pipeline.restartWorker(node.id, ordinal)
    if (kind !== 'terminate') this.#orders.give(worker, kind)
    else void terminate()
    const since = performance.now()
    let isTerminated = false
    let hasDied = false
    for (;;) {
      hasDied = await Promise.race([death, sleep(LOOK_MS, false)])
      if (hasDied) break
      if (kind === 'native' && !isTerminated && this.#orders.isUnderWay(worker)) {
        isTerminated = true
        void terminate()
      }
      const lateMs = performance.now() - since
      if (lateMs > PATIENCE_MS && (kind === 'terminate' || this.#orders.takeBack(worker, kind))) break
      if (lateMs < END_MS) continue
      this.#faults.push(`${node.id}.${ordinal} did not die of its ${kind} within ${END_MS} ms`)
      void this.#pipeline.stop({ deadlineMs: 2_000 })
      break
    }
    this.#victims.delete(worker)
    this.#orders.clear(worker)
    if (hasDied) this.#kills[kind]++
    return hasDied
  }

  async #read(node: NodeShape): Promise<void> {
    for await (const entry of this.#pipeline.output(node.id)) this.#ledger.add(node.id, entry as Entry)
  }

  /** @returns how many records were pushed */
  async #push(node: NodeShape): Promise<number> {
    for (let n = 0; ; n++) {
      if (this.#isEnding) return n
      try {
        await this.#pipeline.push(node.id, made(node, 0, n))
      } catch {
        // It has ended before its time; `#end` tells why.
        return n
      }
      if (n % 50 === 0) await sleep(1)
    }
  }

  /** Push sources end by draining; the others are to come to their own end before. */
  async #drain(): Promise<void> {
    const others = this.#shape.nodes.filter(({ kind, does }) => kind === 'source' && does !== 'push')
    const madeBy = ({ firstWorker, concurrency }: NodeShape): number =>
      Array.from({ length: concurrency }, (_, i) => this.#orders.end(firstWorker + i)).reduce((a, b) => a + b, 0)
    const isOver = (node: NodeShape): boolean => this.#pipeline.snapshot().nodes[node.id]!.in === madeBy(node)
    while (!others.every(isOver) && this.#pipeline.state === 'running') await sleep(LOOK_MS)
    await this.#pipeline.drain({ deadlineMs: END_MS }).catch(() => undefined)
  }

  async #end(): Promise<void> {
    const timer = setTimeout(() => {
      this.#faults.push(`not over ${END_MS} ms after its sources: ${JSON.stringify(this.#pipeline.snapshot().nodes)}`)
      void this.#pipeline.stop({ deadlineMs: 2_000 })
    }, END_MS)
    try {
      const { failed, abandoned, nodes } = await this.#pipeline.finished
      if (failed > 0) this.#faults.push(`${failed} source records failed`)
      if (abandoned > 0) this.#faults.push(`${abandoned} source records were abandoned`)
      for (const [id, counts] of Object.entries(nodes)) {
        const { in: taken, done, filtered, deadLettered, inFlight } = counts
        const sum = done + filtered + counts.failed + deadLettered + inFlight
        if (taken !== sum || inFlight !== 0) this.#faults.push(`the account of ${id}: ${JSON.stringify(counts)}`)
      }
    } catch (error) {
      const detail = error instanceof MillraceError ? JSON.stringify(error.detail) : ''
      this.#faults.push(`failed: ${String(error)} ${detail}`)
    } finally {
      clearTimeout(timer)
    }
  }

  *#made(pushed: readonly number[]): Generator<readonly [NodeShape, Entry]> {
    const pushes = [...pushed]
    for (const node of this.#shape.nodes.filter(({ kind }) => kind === 'source')) {
      for (let ordinal = 0; ordinal < node.concurrency; ordinal++) {
        const count = node.does === 'push' ? pushes.shift()! : this.#orders.made(node.firstWorker + ordinal)
        for (let n = 0; n < count; n++) yield [node, made(node, ordinal, n)]
      }
    }
  }

  /** Every record of a source with `ack` was told: at least once. */
  #checkAcks(): void {
    for (const node of this.#shape.nodes.filter(({ acks }) => acks)) {
      for (let ordinal = 0; ordinal < node.concurrency; ordinal++) {
        const worker = node.firstWorker + ordinal
        for (let n = 0; n < this.#orders.made(worker); n++) {
          if (this.#orders.wasTold(Orders.receipt(worker, n))) continue
          this.#faults.push(`record ${n} of ${node.id}.${ordinal} was never acked`)
          return
        }
      }
    }
  }

  #nodesThat(does: NodeShape['does']): NodeShape[] {
    return this.#shape.nodes.filter((node) => node.does === does)
  }

  #workerOf({ node, worker }: PipelineEvent): number {
    return this.#shape.nodes.find(({ id }) => id === node)!.firstWorker + (worker as number)
  }
}

/** A source has no `timeoutMs`, so nobody would find its endless loop; nor would anybody where a stage has none. */
function kindsOf({ options }: NodeShape): readonly Kind[] {
  return KINDS.filter((kind) => kind !== 'endless' || options['timeoutMs'] !== undefined)
}
