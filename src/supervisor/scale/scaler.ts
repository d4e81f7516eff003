import {
  decideScale,
  FIRST_SCALE_STATE,
  type ScaleDecision,
  type ScaleReason,
  SCALE_REASONS,
  scaleRefused,
  type ScaleState,
  type StageScale,
} from '../../analysis/live/scale/decide.ts'
import type { ScaleRule } from '../../analysis/live/scale/look.ts'
import type { ScaleChange } from '../../analysis/live/scale/trial.ts'
import type { GraphData } from '../../graph/types.ts'
import type { Memory } from '../../memory/memory.ts'
import type { Plan } from '../../plan/types.ts'
import { readSnapshot } from '../../telemetry/snapshot.ts'
import { workersOf } from '../../telemetry/stage-time.ts'
import { clearTimeout, setTimeout } from '../../time.ts'
import type { Events } from '../events.ts'
import { LookMeter } from './look-meter.ts'

/** What scaling needs of the pipeline. */
interface ScalerOptions {
  readonly memory: Memory
  readonly plan: Plan
  readonly graph: GraphData
  readonly events: Events
  readonly resize: (node: string, workers: number) => Promise<void>
  /** It runs, and its sources are not paused. */
  readonly isFlowing: () => boolean
}

/** A stage whose workers follow its load, as the last look found it. */
export interface ScaleStatus {
  readonly node: string
  readonly min: number
  readonly max: number
  /** Share of their time for which its workers are to be busy. */
  readonly target: number
  readonly workers: number
  /** Workers that it needs; undefined before the first look, and where nothing was measured. */
  readonly wanted: number | undefined
  /** What its workers would have to do, by what they can do: above 1 they cannot keep up. */
  readonly load: number | undefined
  readonly reason: ScaleReason | 'unknown'
  readonly text: string
}

/** A window that was so much longer than asked for holds a pause of the process. */
const PAUSE = 2

/** Looks at a pipeline from time to time, and gives its stages the workers that they need. Costs nothing where no stage has `scale`. */
export class Scaler {
  readonly #options: ScalerOptions
  readonly #rules: readonly ScaleRule[]
  readonly #everyMs: number
  readonly #meter: LookMeter
  readonly #told = new Map<string, ScaleReason>()
  #state: ScaleState = FIRST_SCALE_STATE
  #stages: readonly StageScale[] = []
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  constructor(options: ScalerOptions) {
    this.#options = options
    this.#meter = new LookMeter(options.memory, options.plan)
    const scaled = options.plan.nodeStages.flatMap(({ node, scale }) =>
      scale === undefined ? [] : [{ node, ...scale }],
    )
    this.#rules = scaled
    this.#everyMs = Math.min(...scaled.map(({ everyMs }) => everyMs))
  }

  begin(): void {
    if (this.#rules.length > 0) this.#next()
  }

  end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  status(): readonly ScaleStatus[] {
    if (this.#rules.length === 0) return []
    const { memory, plan } = this.#options
    const { stages } = readSnapshot(memory, plan, 0)
    return this.#rules.map(({ node, min, max, busy }) => {
      const found = this.#stages.find((each) => each.node === node)
      const reason = found?.reason ?? 'unknown'
      return {
        node,
        min,
        max,
        target: busy,
        workers: workersOf(stages[node]!),
        wanted: found?.need?.wanted,
        load: found?.need?.load,
        reason,
        text: reason === 'unknown' ? 'nothing was measured yet' : SCALE_REASONS[reason],
      }
    })
  }

  #next(): void {
    if (this.#isOver) return
    this.#meter.begin()
    this.#timer = setTimeout(() => void this.#look().finally(() => this.#next()), this.#everyMs).unref()
  }

  async #look(): Promise<void> {
    const { graph, isFlowing } = this.#options
    if (!isFlowing()) return
    const look = this.#meter.look()
    if (look.measurements.seconds * 1_000 > PAUSE * this.#everyMs) return
    const decision = decideScale(graph, this.#rules, this.#state, look)
    this.#state = decision.state
    if (decision.stages.length > 0) this.#stages = decision.stages
    this.#tell(decision)
    for (const change of decision.changes) await this.#change(change)
  }

  async #change({ node, from, to }: ScaleChange): Promise<void> {
    try {
      await this.#options.resize(node, to)
    } catch (error) {
      if (!this.#options.isFlowing()) return
      this.#state = scaleRefused(this.#state, node, to > from)
      this.#options.events.emit('scale.refused', { node, workers: from, wanted: to, reason: 'failed', error })
    }
  }

  #tell({ verdict, changes, isUndoing, stages, perSecond, promisedPerSecond }: ScaleDecision): void {
    const { events } = this.#options
    if (verdict !== undefined) {
      const { changes: judged, isKept, by, ...figures } = verdict
      events.emit('scale.judged', { nodes: judged.map(({ node }) => node), kept: isKept, by, ...figures })
    }
    const found = new Map(stages.map(({ node, need }) => [node, need]))
    for (const { node, from, to } of changes) {
      const need = found.get(node)
      const reason = isUndoing ? 'undone' : to > from ? 'short' : 'idle'
      events.emit('scale.changed', { node, from, to, reason, load: need?.load ?? 0, perSecond, promisedPerSecond })
      this.#told.delete(node)
    }
    for (const { node, reason, need } of stages) {
      if (this.#told.get(node) === reason) continue
      this.#told.set(node, reason)
      if (!REFUSALS.has(reason)) continue
      events.emit('scale.refused', { node, workers: need!.workers, wanted: need!.wanted, reason })
    }
  }
}

/** Reasons for which a stage that is short of workers gets none. */
const REFUSALS: ReadonlySet<ScaleReason> = new Set(['max', 'cores', 'blocked', 'useless', 'tried'])
