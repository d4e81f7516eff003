import { load, store } from '#atomics'
import { speedupPredicted } from '../../analysis/live/scale/what-if-measured.ts'
import type { ScaleLook } from '../../analysis/live/scale/look.ts'
import { MillraceError } from '../../errors.ts'
import type { GraphData } from '../../graph/types.ts'
import { ring } from '../../lane/doorbell.ts'
import { COMMAND, DELAYED, PROBED, SPEEDUP } from '../../memory/control.ts'
import type { Memory } from '../../memory/memory.ts'
import type { Given, PROBE_OPTIONS } from '../../options/index.ts'
import type { Plan, StagePlan } from '../../plan/types.ts'
import { readSnapshot, type Snapshot } from '../../telemetry/snapshot.ts'
import { monotonicMs, sleep } from '../../time.ts'
import { workedMs } from '../../worker/probe/worked.ts'
import { LookMeter } from '../scale/look-meter.ts'

/** What a probe needs of the pipeline. */
interface ProberOptions {
  readonly memory: Memory
  readonly plan: Plan
  readonly graph: GraphData
  readonly isRunning: () => boolean
}

/** What `pipeline.probe` takes. */
export interface ProbeOptions extends Given<typeof PROBE_OPTIONS> {}

/** What a quicker stage would bring: measured, beside what is predicted. */
export interface Probe {
  readonly node: string
  /** Part of its time by which it was made quicker, virtually. */
  readonly speedup: number
  /** Source records per second that ended; and that would have ended. */
  readonly perSecond: { readonly before: number; readonly after: number }
  /** `after` by `before`. */
  readonly measured: number
  /** The same as the analysis predicts it, from what was measured before. */
  readonly predicted: number
}

/** Turns of the probe: with and without, so that what changes by itself meanwhile weighs on both. */
const TURNS = 4
/** At the beginning of a turn, what is on its way is still as it was in the one before. */
const SETTLING = 0.25
/** Where sources hardly wait, nothing limits the pipeline. */
const HELD = 0.02

/** Makes stages quicker, virtually, by slowing all others down in proportion: as coz does with lines of code. */
export class Prober {
  readonly #options: ProberOptions
  #isProbing = false

  constructor(options: ProberOptions) {
    this.#options = options
  }

  get isProbing(): boolean {
    return this.#isProbing
  }

  /** See `Pipeline.probe`. */
  async probe(node: string, speedup: number, seconds: number): Promise<Probe> {
    const stage = this.#stage(node)
    this.#isProbing = true
    try {
      return await this.#probe(stage, speedup, (1_000 * seconds) / (2 * TURNS))
    } finally {
      this.#delay(stage, 0)
      this.#isProbing = false
    }
  }

  #stage(node: string): StagePlan {
    const { plan, isRunning } = this.#options
    const stage = plan.nodeStages.find((each) => each.node === node)
    if (stage === undefined) throw new MillraceError('NODE_UNKNOWN', { node })
    if (!isRunning()) throw refused(node, 'the pipeline is not running')
    if (this.#isProbing) throw refused(node, 'another probe is not over')
    if (stage.host === 'embedder') throw refused(node, 'the stage runs in the thread that called `run`')
    return stage
  }

  async #probe(stage: StagePlan, speedup: number, turnMs: number): Promise<Probe> {
    const { graph, plan, memory } = this.#options
    const meter = new LookMeter(memory, plan)
    const [without, quicker] = [new Ended(), new Ended()]
    const looks: ScaleLook[] = []
    for (let turn = 0; turn < TURNS; turn++) {
      await sleep(SETTLING * turnMs)
      meter.begin()
      await without.add(() => this.#turn(stage, 0, (1 - SETTLING) * turnMs))
      looks.push(meter.look())
      if (turn === 0 && !isHeld(plan, looks[0]!)) throw refused(stage.node, 'no source waits for the pipeline')
      this.#delay(stage, speedup)
      await sleep(SETTLING * turnMs)
      await quicker.add(() => this.#turn(stage, speedup, (1 - SETTLING) * turnMs))
      this.#delay(stage, 0)
    }
    const perSecond = { before: without.perSecond, after: quicker.perSecond }
    return {
      node: stage.node,
      speedup,
      perSecond,
      measured: perSecond.before === 0 ? 1 : perSecond.after / perSecond.before,
      predicted: speedupPredicted(graph, looks.at(-1)!, stage.node, speedup),
    }
  }

  /** Records that ended, and in which time: without what all others have waited for. */
  async #turn(stage: StagePlan, speedup: number, ms: number): Promise<{ records: number; ms: number }> {
    const { memory, plan, isRunning } = this.#options
    const [before, since, worked] = [this.#ended(), monotonicMs(), workedMs(memory, plan, stage)]
    await sleep(ms)
    if (!isRunning()) throw refused(stage.node, 'the pipeline ended')
    const tookMs = monotonicMs() - since
    const waitedMs = speedup * (workedMs(memory, plan, stage) - worked)
    return { records: this.#ended() - before, ms: tookMs - waitedMs }
  }

  #ended(): number {
    const { memory, plan } = this.#options
    return endedIn(readSnapshot(memory, plan, 0))
  }

  /** Tells the workers of all other stages to wait for so much of what this one works; 0: no more. */
  #delay(stage: StagePlan, speedup: number): void {
    const { memory, plan } = this.#options
    const { words, floats } = memory
    floats[plan.control.offset / 8 + SPEEDUP] = speedup
    store(words, plan.control.offset / 4 + PROBED, stage.index)
    for (const { stage: own, control } of plan.workers) {
      // The thread that called `run` has other things to do than to wait.
      if (own === stage.index || plan.stages[own]!.host === 'embedder') continue
      const command = control.offset / 4 + COMMAND
      const word = load(words, command)
      store(words, command, speedup === 0 ? word & ~DELAYED : word | DELAYED)
      ring(words, control.doorbell)
    }
  }
}

class Ended {
  #records = 0
  #ms = 0

  async add(turn: () => Promise<{ records: number; ms: number }>): Promise<void> {
    const { records, ms } = await turn()
    this.#records += records
    this.#ms += ms
  }

  get perSecond(): number {
    return this.#ms <= 0 ? 0 : (1_000 * this.#records) / this.#ms
  }
}

function endedIn({ stages }: Snapshot): number {
  const sources = Object.values(stages).filter(({ kind }) => kind === 'source')
  return sources.reduce((sum, { in: made, inFlight }) => sum + made - inFlight, 0)
}

function isHeld({ nodeStages }: Plan, { measurements: { nodes } }: ScaleLook): boolean {
  return nodeStages.some(({ kind, node }) => kind === 'source' && nodes[node]!.blocked > HELD)
}

function refused(node: string, reason: string): MillraceError {
  return new MillraceError('PROBE_REFUSED', { node, reason })
}
