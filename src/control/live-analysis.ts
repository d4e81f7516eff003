import { blame, type Blame } from '../analysis/live/blame.ts'
import { drift, type Drift } from '../analysis/live/drift.ts'
import { explain, type Explanation } from '../analysis/live/explain.ts'
import { ledger, type Ledger } from '../analysis/live/ledger.ts'
import { simulate, type Simulation } from '../analysis/flow/simulate.ts'
import { check, type Check } from '../analysis/check.ts'
import { quote } from '../analysis/problems.ts'
import type { Measurements } from '../analysis/types.ts'
import { MillraceError } from '../errors.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import { measurements } from '../telemetry/measurements.ts'
import { workersOf } from '../telemetry/stage-time.ts'
import type { Sampler } from '../telemetry/sampler.ts'
import { monotonicMs } from '../time.ts'

/** What follows from the graph alone. It does not change while the pipeline runs. */
export interface Declared {
  readonly problems: Check['problems']
  readonly deadlock: Check['deadlock']
  /** Undefined where it cannot be computed. */
  readonly predicted: Simulation | undefined
}

export interface Explained {
  readonly measured: Measurements
  readonly explanation: Explanation
  /** Who waits for whom, down to the stage that limits the pipeline. */
  readonly chain: Blame['chain']
  readonly drift: readonly Drift[]
}

/** Explanations this young answer the next question too: over ten seconds, little changes in two. */
const FRESH_MS = 1_900
/** The bottleneck is looked for over so many seconds. */
const EXPLAINED_S = 10
/** Counters of different workers are read one after the other: what moves in between is not missing. */
const READ_S = 0.05
const READ_RECORDS = 4_096

/** The analysis of a running pipeline; what is asked for often is kept for a moment. */
export class LiveAnalysis {
  readonly #pipeline: Pipeline
  readonly #sampler: Sampler
  #declared: Declared | undefined
  #explained: { readonly found: Explained; readonly atMs: number } | undefined

  constructor(pipeline: Pipeline, sampler: Sampler) {
    this.#pipeline = pipeline
    this.#sampler = sampler
  }

  get declared(): Declared {
    if (this.#declared === undefined) {
      const { graph } = this.#pipeline
      const { problems, deadlock } = check(graph)
      this.#declared = { problems, deadlock, predicted: computable(() => simulate(graph)) }
    }
    return this.#declared
  }

  /** Who limits the pipeline, and why, over the last ten seconds. */
  get explained(): Explained {
    const nowMs = monotonicMs()
    if (this.#explained === undefined || nowMs - this.#explained.atMs > FRESH_MS) {
      this.#explained = { found: this.#explain(this.measured(EXPLAINED_S)), atMs: nowMs }
    }
    return this.#explained.found
  }

  measured(seconds: number): Measurements {
    const now = this.#sampler.now()
    return measurements(this.#pipeline.plan, now, this.#sampler.before(now, seconds))
  }

  /** The books since the start. */
  get ledger(): Ledger {
    const all = measurements(this.#pipeline.plan, this.#sampler.now())
    const most = this.measured(1)
    const fastest = Math.max(0, ...most.edges.map(({ records }) => records / most.seconds))
    const isOver = this.#pipeline.state === 'ended'
    return ledger(this.#pipeline.graph, all, { slack: isOver ? 0 : Math.ceil(READ_RECORDS + fastest * READ_S) })
  }

  #explain(measured: Measurements): Explained {
    const { graph } = this.#pipeline
    const explanation = computable(() => explain(graph, measured))
    return {
      measured,
      explanation: explanation === undefined ? INCOMPUTABLE : this.#paused(explanation),
      chain: blame(graph, measured).chain,
      drift: computable(() => drift(graph, measured)) ?? [],
    }
  }

  /** Shared memory counts the time of a paused source as that of a limited one. */
  #paused(explanation: Explanation): Explanation {
    const { cause, bottleneck } = explanation
    const stage = this.#pipeline.plan.nodeStages.find(({ node }) => node === bottleneck)
    if (cause !== 'limited' || stage?.kind !== 'source' || !this.#pipeline.isPaused(stage.node)) return explanation
    return { ...explanation, sentence: `${quote(stage.node)} is paused`, because: [], remedy: 'Resume it.' }
  }

  /** Workers that would lift the limit, as many of them as the bottleneck can get while it runs. */
  get resizeTo(): number | undefined {
    const { bottleneck, workers } = this.explained.explanation
    const stage = this.#pipeline.plan.nodeStages.find(({ node }) => node === bottleneck)
    if (workers === undefined || stage?.sizing === undefined || this.#pipeline.state !== 'running') return undefined
    const taken = workersOf(this.#sampler.now().stages[stage.node]!)
    const most = Math.min(stage.seats, workers)
    return most > taken ? most : undefined
  }
}

const INCOMPUTABLE: Explanation = {
  bottleneck: undefined,
  cause: 'none',
  sentence: 'The loops of this graph have too many crossing edges for their traffic to be computed.',
  because: [],
  remedy: '',
}

/** Graphs with too large a loop have figures all the same; only what needs their traffic is missing. */
function computable<T>(compute: () => T): T | undefined {
  try {
    return compute()
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'LOOP_TOO_LARGE') return undefined
    throw error
  }
}
