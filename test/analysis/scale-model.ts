/** Pipelines of one source, stages in a row and a number of cores, as formulas: what a look at them would measure. */
import type { GraphData, NodeMeasurement } from 'millrace'
import type { ScaleChange } from '#src/analysis/live/scale/trial.js'
import { decideScale, FIRST_SCALE_STATE, type ScaleDecision, type ScaleState } from '#src/analysis/live/scale/decide.js'
import type { ScaleLook, ScaleRule } from '#src/analysis/live/scale/look.js'

export interface ModelStage {
  readonly id: string
  /** Core time of a record, in ms. */
  costMs: number
  /** Most records per second, however many workers: a lock, a database. */
  ceiling?: number
  readonly rule?: Partial<ScaleRule>
}

const SECONDS = 10

/** Stages in a row behind one source; what is looked at is decided on, and what is decided is done. */
export class ScaleModel {
  /** Records per second that the source would make. */
  rate: number
  readonly workers = new Map<string, number>()
  readonly changes: ScaleChange[] = []
  readonly decisions: ScaleDecision[] = []
  readonly #stages: readonly ModelStage[]
  readonly #cores: number
  readonly #rules: readonly ScaleRule[]
  readonly #graph: GraphData
  #state: ScaleState = FIRST_SCALE_STATE

  constructor(rate: number, stages: readonly ModelStage[], cores = 64) {
    this.rate = rate
    this.#stages = stages
    this.#cores = cores
    this.#rules = stages.flatMap(({ id, rule }) =>
      rule === undefined ? [] : [{ node: id, min: 1, max: 8, busy: 0.7, ...rule }],
    )
    for (const { id } of stages) this.workers.set(id, this.#rules.find(({ node }) => node === id)?.min ?? 1)
    const ids = ['in', ...stages.map(({ id }) => id)]
    this.#graph = {
      name: 'model',
      nodes: ids.map((id, i) => ({ id, kind: i === 0 ? 'source' : i === ids.length - 1 ? 'sink' : 'transform' })),
      edges: ids.slice(1).map((to, i) => ({ from: ids[i]!, to })),
      clusters: [],
    }
  }

  /** Looks so often; each decision is carried out before the next look. */
  look(times = 1): ScaleDecision {
    for (let i = 0; i < times; i++) {
      const decision = decideScale(this.#graph, this.#rules, this.#state, this.measure())
      this.#state = decision.state
      this.decisions.push(decision)
      for (const change of decision.changes) {
        this.workers.set(change.node, change.to)
        this.changes.push(change)
      }
    }
    return this.decisions.at(-1)!
  }

  /** What each stage can do, one beside the other; full stages share the cores alike. */
  measure(): ScaleLook {
    const workersOf = (id: string): number => this.workers.get(id)!
    const most = ({ id, costMs, ceiling = Infinity }: ModelStage): number =>
      Math.min(ceiling, (workersOf(id) * 1_000) / costMs)
    const burnt = this.#stages.reduce((sum, { costMs }) => sum + costMs / 1_000, 0)
    const rate = Math.min(this.rate, this.#cores / burnt, ...this.#stages.map(most))
    const isByCores = rate === this.#cores / burnt
    const limiting = this.#stages.findLastIndex((stage) => most(stage) === rate)
    const nodes: Record<string, NodeMeasurement> = { in: measurement(1, rate, 0, 1 - rate / this.rate) }
    this.#stages.forEach((stage, i) => {
      // Whoever waits for a lock or a core is in its handler.
      const isFull = isByCores || (i === limiting && rate < this.rate)
      const busy = isFull ? 1 : (rate * stage.costMs) / 1_000 / workersOf(stage.id)
      const blocked = i < limiting && rate < this.rate ? 1 - busy : 0
      nodes[stage.id] = measurement(workersOf(stage.id), rate, busy, blocked)
    })
    return {
      measurements: {
        seconds: SECONDS,
        nodes,
        edges: this.#graph.edges.map((_, index) => ({
          index,
          records: rate * SECONDS,
          dropped: 0,
          queued: 0,
          capacity: 1_000,
          blockedShare: 0,
        })),
      },
      waiting: new Set(['in']),
      cores: { available: this.#cores, used: rate * burnt },
    }
  }
}

function measurement(workers: number, rate: number, busy: number, blocked: number): NodeMeasurement {
  const records = rate * SECONDS
  const serviceMs = rate === 0 ? 0 : (busy * workers * 1_000) / rate
  return {
    workers,
    in: records,
    out: records,
    done: records,
    filtered: 0,
    failed: 0,
    deadLettered: 0,
    dropped: 0,
    retried: 0,
    inFlight: 0,
    busy,
    starved: Math.max(0, 1 - busy - blocked),
    blocked,
    limited: 0,
    serviceMs,
    p50Ms: serviceMs,
    p99Ms: serviceMs,
  }
}
