/**
 * A pure model of graphs at work: it makes the events that a true tracer would tell, and beside them a ledger, record by
 * record, of what came of what. Everything follows from the seed.
 */
import { formatId, mix, mixed } from '#src/lane/ids.js'
import type { TracedOutput, TracedRecords, TraceEvent, TraceKind, TraceOutcome } from '#src/trace/event.js'
import { idIn } from '#src/trace/questions/record-ids.js'
import type { TraceRun } from '#src/trace/source.js'

/** One record at one hop, as the model knows it. */
export interface Entry {
  readonly record: string
  readonly sequence: number
  fate: string
  readonly parents: readonly Entry[]
  readonly children: Entry[]
}

interface Travelling {
  readonly id: string
  readonly origins: readonly Entry[]
}

interface Frame {
  readonly edge: number
  readonly records: TracedRecords
  readonly travelling: readonly Travelling[]
  readonly traces: readonly string[]
}

const JOBS = ['map', 'filter', 'flat', 'route', 'copy', 'batch', 'each'] as const
type Job = (typeof JOBS)[number] | 'source' | 'sink'

export interface ModelNode {
  readonly id: string
  readonly job: Job
  readonly edges: readonly number[]
}

export interface ModelOptions {
  readonly chunks?: number
  readonly pipeline?: string
  readonly run?: string
  readonly startAt?: number
  /** Share of hops that fail, die or drop. Default: 0.1. */
  readonly trouble?: number
  /** Frames that are left on their way. Default: none. */
  readonly unfinished?: number
}

export interface Played {
  readonly run: TraceRun
  readonly nodes: readonly ModelNode[]
  readonly edges: readonly { readonly from: string; readonly to: string }[]
  readonly events: readonly TraceEvent[]
  readonly ledger: readonly Entry[]
  /** Records sent over each edge, and seen to arrive: first attempts. */
  readonly counts: readonly { sent: number; arrived: number }[]
}

/** Numbers from 0 to 1 that follow from a seed. */
export function chance(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function play(seed: number, options: ModelOptions = {}): Played {
  return new Model(seed, options).play()
}

class Model {
  readonly #random: () => number
  readonly #options: Required<ModelOptions>
  readonly #nodes: ModelNode[] = []
  readonly #edges: { from: string; to: string }[] = []
  readonly #events: TraceEvent[] = []
  readonly #ledger: Entry[] = []
  readonly #counts: { sent: number; arrived: number }[] = []
  readonly #open = new Map<string, { frames: number; failed: boolean; worker: number }>()
  #queue: Frame[] = []
  #now: number
  #salt = 1

  constructor(seed: number, options: ModelOptions) {
    this.#random = chance(seed)
    this.#options = {
      chunks: 6,
      pipeline: 'model',
      run: (seed >>> 0).toString(16).padStart(16, '0'),
      startAt: 1_790_000_000_000,
      trouble: 0.1,
      unfinished: 0,
      ...options,
    }
    this.#now = this.#options.startAt
    this.#makeGraph()
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n)
  }

  #makeGraph(): void {
    const middle = 1 + this.#below(6)
    const nodes = [
      { id: 'in', job: 'source' as Job, edges: [] as number[] },
      ...Array.from({ length: middle }, (_, i) => ({
        id: `${JOBS[this.#below(JOBS.length)]!}${i}`,
        job: 'map' as Job,
        edges: [] as number[],
      })),
      { id: 'out', job: 'sink' as Job, edges: [] as number[] },
      { id: 'dead', job: 'sink' as Job, edges: [] as number[] },
    ]
    for (const node of nodes) if (/\d$/.test(node.id)) node.job = node.id.slice(0, -1) as Job
    for (const [i, node] of nodes.entries()) {
      if (node.job === 'sink') continue
      const wide = node.job === 'route' || node.job === 'copy' ? 2 : 1
      for (let k = 0; k < wide; k++) {
        const to = Math.min(i + 1 + this.#below(k === 0 ? 2 : middle), middle + 1)
        node.edges.push(this.#edges.push({ from: node.id, to: nodes[to]!.id }) - 1)
      }
    }
    this.#nodes.push(...nodes)
    this.#counts.push(...this.#edges.map(() => ({ sent: 0, arrived: 0 })))
  }

  play(): Played {
    let left = this.#options.chunks
    while (left > 0 || this.#queue.length > this.#options.unfinished) {
      const opens = left > 0 && (this.#queue.length === 0 || this.#random() < 0.4)
      if (opens) {
        left--
        this.#openSlot(this.#options.chunks - left)
      } else this.#step()
    }
    for (const { travelling } of this.#queue)
      for (const { id, origins } of travelling)
        this.#enter({ record: id, sequence: -1, fate: 'sent', parents: origins })
    const { pipeline, run, startAt } = this.#options
    const kinds = { source: 'source', sink: 'sink' } as Readonly<Record<string, 'source' | 'sink'>>
    const graph = {
      name: pipeline,
      nodes: this.#nodes.map(({ id, job }) => ({ id, kind: kinds[job] ?? ('transform' as const) })),
      edges: this.#edges.map((edge) => ({ ...edge })),
      clusters: [],
    }
    return {
      run: { pipeline, run, startedAt: startAt, graph },
      nodes: this.#nodes,
      edges: this.#edges,
      events: this.#events,
      ledger: this.#ledger,
      counts: this.#counts,
    }
  }

  #openSlot(number: number): void {
    const trace = this.#options.run + number.toString(16).padStart(16, '0')
    const base = formatId(number * 7919, Math.trunc(this.#random() * 2 ** 32))
    this.#open.set(trace, { frames: 0, failed: false, worker: 0 })
    const { id, edges } = this.#nodes[0]!
    const count = 1 + this.#below(5)
    const records = { base, first: this.#below(3) * 512, count }
    const sequence = this.#events.length
    const travelling = Array.from({ length: count }, (_, i): Travelling => {
      const record = idIn(records, i)
      return { id: record, origins: [this.#enter({ record, sequence, fate: 'made', parents: [] })] }
    })
    this.#hop({
      kind: 'open',
      node: id,
      traces: [trace],
      inputs: [],
      sends: [{ edge: edges[0]!, records, travelling }],
    })
  }

  #enter(entry: Omit<Entry, 'children'>): Entry {
    const entered = { ...entry, children: [] }
    for (const parent of entry.parents) parent.children.push(entered)
    this.#ledger.push(entered)
    return entered
  }

  /** Takes one frame, or for a batch several over any of its edges, and does what the node does. */
  #step(): void {
    const at = this.#below(Math.min(this.#queue.length, 4))
    const [first] = this.#queue.splice(at, 1)
    const node = this.#nodes.find(({ id }) => id === this.#edges[first!.edge]!.to)!
    const frames = [first!]
    if (node.job === 'batch' || node.job === 'each')
      while (frames.length < 3 && this.#random() < 0.7) {
        const next = this.#queue.findIndex(({ edge }) => this.#edges[edge]!.to === node.id)
        if (next < 0) break
        frames.push(...this.#queue.splice(next, 1))
      }
    for (const { edge, records } of frames) this.#counts[edge]!.arrived += records.count
    this.#now += this.#random()
    const traces = [...new Set(frames.flatMap((frame) => frame.traces))]
    let attempt = 0
    let epoch = 0
    while (this.#random() < this.#options.trouble) {
      const kind = (['retry', 'hop', 'drop', 'dead'] as const)[this.#below(4)]!
      const died = kind === 'hop'
      const outcome = { retry: 'retried', hop: 'died', drop: 'dropped', dead: 'deadLettered' }[kind] as TraceOutcome
      this.#hop({
        kind,
        node: node.id,
        traces,
        inputs: frames,
        sends: [],
        outcome,
        attempt,
        epoch,
        fates: () => outcome,
      })
      if (kind === 'drop' || kind === 'dead') return this.#done(frames, kind === 'dead')
      if (died) epoch++
      else attempt++
    }
    this.#work(node, frames, traces, attempt, epoch)
    this.#done(frames, false)
  }

  #done(frames: readonly Frame[], failed: boolean): void {
    for (const { traces } of frames)
      for (const trace of traces) {
        const slot = this.#open.get(trace)!
        slot.failed ||= failed
        if (--slot.frames > 0) continue
        this.#open.delete(trace)
        this.#hop({
          kind: 'end',
          node: 'in',
          traces: [trace],
          inputs: [],
          sends: [],
          outcome: slot.failed ? 'failed' : 'ok',
        })
      }
  }

  #work(node: ModelNode, frames: readonly Frame[], traces: readonly string[], attempt: number, epoch: number): void {
    const all = frames.flatMap(({ travelling }) => travelling)
    const sequence = this.#events.length
    const entries = all.map(({ id, origins }) =>
      this.#enter({ record: id, sequence, fate: 'passed', parents: origins }),
    )
    const { job, edges } = node
    const sends: Sending[] = []
    let kind: TraceKind = 'hop'
    if (job === 'map' || job === 'each') {
      let before = 0
      for (const { records } of frames) {
        const places = Array.from({ length: records.count }, (_, i) => before + i)
        before += records.count
        sends.push(this.#kept(edges[0]!, records, places, entries, frames.length > 1))
      }
    } else if (job === 'copy') {
      for (const edge of edges)
        sends.push(
          this.#made(
            edge,
            all.map((_, i) => [i]),
            entries,
            false,
          ),
        )
    } else if (job === 'filter') {
      const places = all.flatMap((_, i) => (this.#random() < 0.6 ? [i] : []))
      sends.push(...this.#picked(edges[0]!, frames[0]!.records, places, entries))
    } else if (job === 'route') {
      const sides = all.map(() => this.#below(edges.length))
      for (const [k, edge] of edges.entries())
        sends.push(
          ...this.#picked(
            edge,
            frames[0]!.records,
            all.flatMap((_, i) => (sides[i] === k ? [i] : [])),
            entries,
          ),
        )
    } else if (job === 'flat') {
      kind = 'emit'
      const origins = all.flatMap((_, i) => Array.from({ length: this.#below(4) }, () => [i]))
      if (origins.length > 0) sends.push(this.#made(edges[0]!, origins, entries, true))
    } else if (job === 'batch') {
      kind = 'batch'
      const every = all.map((_, i) => i)
      sends.push(
        this.#made(
          edges[0]!,
          Array.from({ length: 1 + this.#below(2) }, () => every),
          entries,
          false,
        ),
      )
    }
    const passed = new Set(sends.flatMap(({ travelling }) => travelling.flatMap(({ origins }) => origins)))
    for (const entry of entries) if (!passed.has(entry)) entry.fate = job === 'sink' ? 'written' : 'filtered'
    const outcome = sends.length === 0 && job !== 'sink' ? 'filtered' : 'ok'
    this.#hop({ kind, node: node.id, traces, inputs: frames, sends, attempt, epoch, outcome })
  }

  /** Records that keep their ids. */
  #kept(
    edge: number,
    records: TracedRecords,
    places: readonly number[],
    entries: readonly Entry[],
    isPart: boolean,
  ): Sending {
    const travelling = places.map((place): Travelling => ({ id: entries[place]!.record, origins: [entries[place]!] }))
    const origins = isPart ? places.flatMap((place) => [place, 1]) : undefined
    return { edge, records, travelling, ...(origins === undefined ? {} : { origins }) }
  }

  /** Some of them: with the ids that they had, in runs, or with new ones. */
  #picked(edge: number, records: TracedRecords, places: readonly number[], entries: readonly Entry[]): Sending[] {
    if (places.length === 0) return []
    if (this.#random() < 0.5)
      return [
        this.#made(
          edge,
          places.map((place) => [place]),
          entries,
          true,
        ),
      ]
    const runs: number[][] = []
    for (const place of places) {
      if (runs.at(-1)?.at(-1) === place - 1) runs.at(-1)!.push(place)
      else runs.push([place])
    }
    return runs.map((run) => {
      const part = { base: records.base, first: records.first + run[0]!, count: run.length }
      return this.#kept(edge, part, run, entries, true)
    })
  }

  /** Records with new ids, and what each came of. */
  #made(edge: number, origins: readonly (readonly number[])[], entries: readonly Entry[], tells: boolean): Sending {
    mix(this.#salt++, this.#below(2 ** 30), edge)
    const records = { base: formatId(mixed.low, mixed.high), first: 0, count: origins.length }
    const travelling = origins.map((places, i): Travelling => ({
      id: idIn(records, i),
      origins: places.map((place) => entries[place]!),
    }))
    return { edge, records, travelling, ...(tells ? { origins: runLengths(origins.map(([place]) => place!)) } : {}) }
  }

  #hop({ kind, node, traces, inputs, sends, outcome = 'ok', attempt = 0, epoch = 0, fates }: Hop): void {
    const takenAt = this.#now
    const sequence = this.#events.length
    if (fates !== undefined)
      for (const { id, origins } of inputs.flatMap(({ travelling }) => travelling))
        this.#enter({ record: id, sequence, fate: fates(), parents: origins })
    const serviceMs = Math.round(this.#random() * 1_000) / 1_000
    this.#now += serviceMs + this.#random() / 10
    const outputs = sends.map(({ edge, records, origins }): TracedOutput => ({
      edge,
      base: records.base,
      first: records.first,
      count: records.count,
      writtenAt: this.#now,
      bytes: records.count * (20 + edge),
      ...(origins === undefined ? {} : { origins }),
    }))
    const failure =
      outcome === 'deadLettered' || outcome === 'retried'
        ? { error: { code: 'HANDLER_FAILED', message: `no ${sequence % 3}` } }
        : {}
    this.#events.push({
      kind,
      sequence,
      pipeline: this.#options.pipeline,
      run: this.#options.run,
      traces,
      node,
      worker: sequence % 2,
      epoch,
      inputs: inputs.map(({ edge, records }) => ({ ...records, edge, depth: records.count + this.#below(9) })),
      outputs,
      attempt,
      takenAt,
      handedOffAt: this.#now,
      serviceMs,
      outcome,
      ...failure,
      ...(this.#random() < 0.2
        ? { attributes: { tenant: `t${sequence % 3}`, size: sequence, isLarge: sequence % 2 === 0 } }
        : {}),
      ...(this.#random() < 0.05
        ? { content: [{ index: 0, json: `{"n":${sequence}}` }], checksum: 'crc32:0badcafe' }
        : {}),
      isIncomplete: false,
      isTruncated: false,
    })
    for (const [i, { edge, travelling }] of sends.entries()) {
      const { origins: _, ...records } = outputs[i]!
      this.#counts[edge]!.sent += records.count
      for (const trace of traces) this.#open.get(trace)!.frames++
      this.#queue.push({ edge, records, travelling, traces })
    }
  }
}

interface Sending {
  readonly edge: number
  readonly records: TracedRecords
  readonly travelling: readonly Travelling[]
  readonly origins?: readonly number[]
}

interface Hop {
  readonly kind: TraceKind
  readonly node: string
  readonly traces: readonly string[]
  readonly inputs: readonly Frame[]
  readonly sends: readonly Sending[]
  readonly outcome?: TraceOutcome
  readonly attempt?: number
  readonly epoch?: number
  readonly fates?: () => string
}

function runLengths(places: readonly number[]): number[] {
  const runs: number[] = []
  for (const place of places) {
    if (runs.at(-2) === place) runs[runs.length - 1]!++
    else runs.push(place, 1)
  }
  return runs
}
