import type { NodeKind } from 'millrace/graph'
import { Random } from '#src/test-kit/random.js'

/** What a node of a random graph does with a record. All of it follows from the record and the node alone. */
export type Deed =
  | 'produce'
  | 'poll'
  | 'push'
  | 'map'
  | 'flatMap'
  | 'filter'
  | 'mapBatch'
  | 'mapEach'
  | 'unwrap'
  | 'write'
  | 'output'
  | 'route'
  | 'pass'

export interface NodeShape {
  readonly id: string
  readonly kind: NodeKind
  readonly does: Deed
  /** The handler answers at once, with a promise, or now and then with one. */
  readonly answers: 'sync' | 'async' | 'sometimes'
  readonly concurrency: number
  /** Number of its first worker among those of all nodes. */
  readonly firstWorker: number
  /** Sources: every how-manieth record has a cursor; 0: none has. */
  readonly cursorEvery: number
  readonly acks: boolean
  /** Sources: they make some more records when the pipeline drains. */
  readonly finishes: boolean
  /** Attempts that fail, at most. */
  readonly failures: number
  /** Some records fail at every attempt. */
  readonly isHopeless: boolean
  /** Some records are sent to the branch `more` as well. */
  readonly emits: boolean
  /** Records visit workers, and batches hold records, by a key. */
  readonly partitioned: boolean
  readonly batchedByKey: boolean
  /** Records of a batch are weighed; some have no weight, and fail. */
  readonly weighs: boolean
  /** Records are looked up before their calls. */
  readonly preloads: boolean
  /** Each key has a rate limit (`options.rateLimit`). */
  readonly limited?: true
  /** So many keys there are. */
  readonly keys: number
  /** Sources: some records have meta. */
  readonly metas: boolean
  /** Characters that some records of a source carry beside their trail. */
  readonly padding: number
  readonly options: Readonly<Record<string, unknown>>
}

export interface EdgeShape {
  readonly from: string
  readonly to: string
  /** Not every record takes it; a broadcast whose copies go to some of the workers only. */
  readonly selects: boolean
  readonly options: Readonly<Record<string, unknown>>
}

/** One round's graph as plain data; the same seed gives the same one in every thread. */
export interface Shape {
  readonly seed: number
  readonly nodes: readonly NodeShape[]
  readonly edges: readonly EdgeShape[]
  readonly run: { readonly laneBytes: number; readonly stashBytes: number; readonly maxDemand: number }
}

/** Where an edge can begin. */
interface End {
  readonly from: string
  readonly options: Readonly<Record<string, unknown>>
}

const MOST_THREADS = 7
/** Long enough for a busy machine, short enough for many rounds. */
const TIMEOUT_MS = 400
const HEAP = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 }
const ROUTES = ['left', 'right']

export function shapeOf(seed: number): Shape {
  return new Shaping(seed).shape()
}

class Shaping {
  readonly #seed: number
  readonly #random: Random
  readonly #nodes: NodeShape[] = []
  readonly #edges: EdgeShape[] = []
  readonly #ends: End[] = []
  #threads = 0
  #workers = 0

  constructor(seed: number) {
    this.#seed = seed
    this.#random = new Random(seed)
  }

  shape(): Shape {
    const random = this.#random
    for (let sources = random.chance(0.2) ? 2 : 1; sources > 0; sources--) this.#addSource()
    const grow = [
      (): void => this.#addTransform(),
      (): void => this.#addTransform(),
      (): void => this.#addTransform(),
      (): void => this.#addTransform(),
      (): void => this.#addFanOut(),
      (): void => this.#addConditional(),
      (): void => this.#addFanIn(),
      (): void => this.#addBuffer(),
      (): void => this.#addSink(),
    ]
    for (let steps = random.between(3, 9); steps > 0; steps--) random.pick(grow)()
    // A pushed source and what lies in its thread have no worker that could die.
    if (this.#edges.length === 0 || this.#threads === 0) this.#addTransform()
    this.#addOutputs()
    const run = {
      laneBytes: random.pick([1_024, 4_096, 65_536, 262_144]),
      stashBytes: random.pick([4_096, 16_384, 1_048_576, 8_388_608]),
      maxDemand: random.pick([1, 2, 16, 512, 4_096]),
    }
    return { seed: this.#seed, nodes: this.#nodes, edges: this.#edges, run }
  }

  #addSource(): void {
    const random = this.#random
    const does = random.pick(['produce', 'produce', 'poll', 'push'] as const)
    const isPushed = does === 'push'
    const concurrency = isPushed ? 1 : this.#concurrency()
    const acks = !isPushed && random.chance(0.4)
    const options = {
      ...(isPushed ? { push: true } : { resourceLimits: HEAP, maxCrashes: 100 }),
      ...(random.chance(0.5) ? { window: random.pick([1, 3, 64, 1_000]) } : {}),
      ...(random.chance(0.5) ? { chunk: random.pick([1, 3, 40, 1_024]) } : {}),
      ...(random.chance(0.6) ? { rateLimit: random.pick([500, 5_000, 20_000]) } : {}),
    }
    const metas = !isPushed && random.chance(0.4)
    const cursorEvery = isPushed ? 0 : random.pick([0, 1, 5])
    const padding = random.chance(0.2) ? random.pick([300, 3_000]) : 0
    const answers = random.pick(['sync', 'async'] as const)
    const finishes = !isPushed && random.chance(0.4)
    const heads = metas ? { metaBytes: 64 } : {}
    const own = { concurrency, acks, finishes, metas, options: { ...options, ...heads } }
    this.#add('source', does, { ...own, cursorEvery, padding, answers })
    this.#ends.push({ from: this.#last, options: {} })
  }

  #addTransform(): void {
    if (!this.#hasThreads()) return
    const random = this.#random
    const end = this.#takeEnd()
    if (this.#canFuse(end)) return this.#addFused(end)
    const does = random.pick(['map', 'map', 'flatMap', 'filter', 'mapBatch', 'mapEach'] as const)
    this.#addStage('transform', does, [end])
    this.#ends.push({ from: this.#last, options: {} })
  }

  #canFuse({ from, options }: End): boolean {
    const node = this.#nodes.find(({ id }) => id === from)!
    const isOnly = ![...this.#ends, ...this.#edges].some((other) => other.from === from)
    const isPlain = node.kind === 'transform' && isOnly
    return isPlain && Object.keys(options).length === 0 && this.#random.chance(0.2)
  }

  #addFused({ from }: End): void {
    const { concurrency, firstWorker } = this.#nodes.find(({ id }) => id === from)!
    this.#add('transform', this.#random.pick(['map', 'flatMap', 'filter'] as const), { concurrency, firstWorker })
    this.#connect({ from, options: { fuse: true } }, this.#last)
    this.#ends.push({ from: this.#last, options: {} })
  }

  /** A node that writes, and passes on what it has written. */
  #addSink(): void {
    if (!this.#hasThreads()) return
    this.#addStage('sink', 'write', [this.#takeEnd()])
    this.#ends.push({ from: this.#last, options: {} })
  }

  /** Both branches get each record. */
  #addFanOut(): void {
    if (this.#ends.length >= 4) return
    const end = this.#takeEnd()
    this.#ends.push(end, end)
  }

  #addConditional(): void {
    if (this.#ends.length >= 4) return
    const end = this.#takeEnd()
    this.#add('conditional', 'route')
    this.#connect(end, this.#last)
    for (const when of ROUTES) this.#ends.push({ from: this.#last, options: { when } })
  }

  #addFanIn(): void {
    if (this.#ends.length < 2) return
    const ends = [this.#takeEnd(), this.#takeEnd()]
    if (this.#random.chance(0.5) && this.#hasThreads()) this.#addStage('transform', 'map', ends)
    else {
      this.#add('merge', 'pass')
      for (const end of ends) this.#connect(end, this.#last)
    }
    this.#ends.push({ from: this.#last, options: {} })
  }

  #addBuffer(): void {
    const end = this.#takeEnd()
    this.#add('buffer', 'pass', { options: { capacity: this.#random.pick([1, 10, 1_000]) } })
    this.#connect(end, this.#last)
    this.#ends.push({ from: this.#last, options: {} })
  }

  #addOutputs(): void {
    const most = this.#random.between(1, 2)
    while (this.#ends.length > 0) {
      const outputs = this.#nodes.filter(({ does }) => does === 'output')
      if (outputs.length < most) this.#add('sink', 'output')
      this.#connect(this.#takeEnd(), outputs.length < most ? this.#last : this.#random.pick(outputs).id)
    }
  }

  #addStage(kind: NodeKind, does: Deed, ends: readonly End[]): void {
    const random = this.#random
    const isBatched = does === 'mapBatch' || does === 'mapEach' || (does === 'write' && random.chance(0.5))
    const partitioned = random.chance(0.25)
    const answers = random.pick(['sync', 'sync', 'async', 'sometimes'] as const)
    const isTimed = random.chance(0.5)
    const failures = random.chance(0.4) ? random.between(1, 2) : 0
    const isHopeless = random.chance(0.25)
    // A busy machine makes calls late that are as fast as any, so a record may be late several times.
    const maxAttempts = isTimed && answers !== 'sync' ? 50 : failures + 1
    const options = {
      resourceLimits: HEAP,
      // Random deaths are no record's fault.
      maxCrashes: 100,
      ...(isTimed ? { timeoutMs: TIMEOUT_MS } : {}),
      ...(answers !== 'sync' && random.chance(0.7) ? { maxInFlight: random.pick([1, 2, 8, 64]) } : {}),
      ...(random.chance(0.2) ? { ordered: true } : {}),
      ...(random.chance(0.2) ? { rateLimit: random.pick([500, 5_000, { perSecond: 20_000, burst: 1 }]) } : {}),
      ...(!partitioned && random.chance(0.4)
        ? { dispatch: random.pick(['roundRobin', 'roundRobin', 'broadcast']) }
        : {}),
      ...(maxAttempts > 1
        ? {
            retry: {
              maxAttempts,
              baseMs: random.pick([0, 1, 10]),
              maxMs: 20,
              backoff: random.pick(['constant', 'linear', 'exponential']),
            },
          }
        : {}),
      ...(isBatched
        ? { batch: { size: random.pick([1, 2, 7, 100, 1_000]), timeoutMs: random.pick([0, 5, 50, 500]) } }
        : {}),
    }
    const batchedByKey = isBatched && random.chance(0.4)
    const weighs = isBatched && random.chance(0.25)
    const batch = {
      ...(options.batch as object),
      ...(random.chance(0.2) ? { idleMs: random.pick([0, 3, 40]) } : {}),
      ...(weighs ? random.pick([{ weight: 20 }, { maxWeight: 12 }, { weight: 5, maxWeight: 30 }]) : {}),
      ...(batchedByKey && random.chance(0.4) ? { maxOpen: random.pick([1, 3, 20]) } : {}),
      ...(batchedByKey && random.chance(0.3) ? { serial: true } : {}),
    }
    const preloads = !isBatched && random.chance(0.25)
    const preloading = preloads && random.chance(0.7) ? { preloadSize: random.pick([1, 3, 40]) } : {}
    const keys = random.pick([1, 13, 13, 5_000])
    const emits = random.chance(0.2)
    const concurrency = this.#concurrency()
    const keyed = { partitioned, batchedByKey, weighs, preloads, keys }
    this.#add(kind, does, {
      concurrency,
      answers,
      failures,
      isHopeless,
      emits,
      ...keyed,
      options: isBatched ? { ...options, batch } : { ...options, ...preloading },
    })
    const stage = this.#last
    for (const end of ends) this.#connect(end, stage)
    const takesAgain = does === 'map' && failures > 0 && options.dispatch !== 'broadcast'
    if (takesAgain && random.chance(0.3)) this.#connect({ from: stage, options: { pathType: 'retry' } }, stage)
    if (emits) this.#ends.push({ from: stage, options: { when: 'more' } })
    if (!isHopeless) return
    this.#add('transform', 'unwrap', { concurrency: 1, options: { resourceLimits: HEAP, maxCrashes: 100 } })
    this.#threads++
    this.#connect({ from: stage, options: { pathType: random.pick(['error', 'dead_letter']) } }, this.#last)
    this.#ends.push({ from: this.#last, options: {} })
  }

  #add(kind: NodeKind, does: Deed, given: Partial<NodeShape> = {}): void {
    const plain = {
      answers: 'sync',
      concurrency: 1,
      cursorEvery: 0,
      acks: false,
      finishes: false,
      failures: 0,
      padding: 0,
      keys: 13,
    } as const
    const not = {
      isHopeless: false,
      emits: false,
      partitioned: false,
      batchedByKey: false,
      weighs: false,
      preloads: false,
      metas: false,
    } as const
    const id = `${does}${this.#nodes.length}`
    const node = { id, kind, does, ...plain, ...not, options: {}, firstWorker: this.#workers, ...given }
    this.#nodes.push(node)
    if (given.firstWorker === undefined) this.#workers += node.concurrency
  }

  #connect({ from, options }: End, to: string): void {
    const random = this.#random
    const own = {
      ...(random.chance(0.3) ? { laneBytes: random.pick([1_024, 8_192, 131_072]) } : {}),
      ...(random.chance(0.3) ? { maxDemand: random.pick([1, 3, 100]) } : {}),
      ...(random.chance(0.2) ? { codec: random.pick(['msgpack', 'json']) } : {}),
    }
    const isBroadcast = this.#nodes.find(({ id }) => id === to)!.options['dispatch'] === 'broadcast'
    // The plan sizes the lanes of a loop, unless a graph says how much they hold.
    const isPlain = 'fuse' in options || options['pathType'] === 'retry'
    const isNormal = !isPlain && options['pathType'] === undefined
    const selects = (isBroadcast && random.chance(0.5)) || (isNormal && random.chance(0.15))
    this.#edges.push({ from, to, selects, options: isPlain ? options : { ...own, ...options } })
  }

  get #last(): string {
    return this.#nodes.at(-1)!.id
  }

  #takeEnd(): End {
    return this.#ends.splice(this.#random.between(0, this.#ends.length - 1), 1)[0]!
  }

  #hasThreads(): boolean {
    return this.#threads < MOST_THREADS
  }

  #concurrency(): number {
    const concurrency = Math.max(1, Math.min(this.#random.pick([1, 1, 1, 2, 3]), MOST_THREADS - this.#threads))
    this.#threads += concurrency
    return concurrency
  }
}
