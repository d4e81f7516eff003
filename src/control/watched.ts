import { MillraceError } from '../errors.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import type { Report } from '../supervisor/report.ts'
import { HistogramHistory } from '../telemetry/histogram-history.ts'
import { Sampler } from '../telemetry/sampler.ts'
import type { Snapshot } from '../telemetry/snapshot.ts'
import { EventLog, type LoggedEvent } from './event-log.ts'
import { LiveAnalysis } from './live-analysis.ts'
import { Receipts } from './resources/receipts.ts'

export interface WatchedOptions {
  readonly keptEvents: number
  readonly showRecords: boolean
  readonly keptKeys: number
}

/** States of a pipeline as the API tells them: `ended` is told apart by how it ended. */
export const STATES = [
  'starting',
  'running',
  'draining',
  'stopping',
  'finished',
  'drained',
  'stopped',
  'failed',
] as const
export type State = (typeof STATES)[number]

/** A pipeline under control: its last minute, its last events, and the records that were pushed into it. */
export class Watched {
  readonly name: string
  readonly events: EventLog
  /** Why it did not start, or what ended it. */
  failure: unknown
  report: Report | undefined
  /** Hand-offs at the moment of the last `pipeline.stalled`. */
  #stalledAt: number | undefined
  #running: Running | undefined

  constructor(name: string, pipeline: Pipeline | Promise<Pipeline>, options: WatchedOptions) {
    this.name = name
    this.events = new EventLog(options.keptEvents, options.showRecords)
    if ('then' in pipeline) {
      pipeline.then(
        (started) => this.#watch(started, options),
        (error: unknown) => (this.failure = error),
      )
    } else {
      this.#watch(pipeline, options)
    }
  }

  get state(): State {
    if (this.#running === undefined) return this.failure === undefined ? 'starting' : 'failed'
    const { state } = this.#running.pipeline
    if (state !== 'ended') return state
    return this.report?.outcome ?? (this.failure === undefined ? 'stopping' : 'failed')
  }

  /** The parts that only a pipeline has that was started. @throws PIPELINE_STARTING, or why it was not */
  get running(): Running {
    if (this.#running !== undefined) return this.#running
    if (this.failure === undefined) throw new MillraceError('PIPELINE_STARTING', { pipeline: this.name })
    if (this.failure instanceof MillraceError && !this.failure.code.startsWith('START_')) {
      throw new MillraceError('START_FAILED', { pipeline: this.name, reason: this.failure.code })
    }
    throw this.failure
  }

  /** The pipeline, where it was started. */
  get pipeline(): Pipeline | undefined {
    return this.#running?.pipeline
  }

  /** Records are in flight, and none has moved since the pipeline said so. */
  get isStalled(): boolean {
    if (this.#stalledAt === undefined || this.#running === undefined || this.state !== 'running') return false
    if (handoffs(this.#running.sampler.now()) !== this.#stalledAt) this.#stalledAt = undefined
    return this.#stalledAt !== undefined
  }

  close(): void {
    this.#running?.close()
  }

  #watch(pipeline: Pipeline, { keptKeys }: WatchedOptions): void {
    const sampler = new Sampler(() => pipeline.snapshot())
    const history = new HistogramHistory()
    const unlisten = pipeline.events.on('*', (event) => this.events.add(event))
    const untell = this.events.listen((event) => this.#noteStall(event))
    const close = (): void => {
      unlisten()
      untell()
      sampler.close()
      history.close()
    }
    const analysis = new LiveAnalysis(pipeline, sampler)
    this.#running = { pipeline, sampler, history, analysis, receipts: new Receipts(pipeline, keptKeys), close }
    pipeline.finished.then(
      (report) => this.#ended(report, sampler),
      (error: unknown) => {
        this.failure = error
        this.#ended((error as { report?: Report }).report, sampler)
      },
    )
  }

  #ended(report: Report | undefined, sampler: Sampler): void {
    this.report = report
    sampler.close()
  }

  #noteStall({ name }: LoggedEvent): void {
    if (name === 'pipeline.stalled') this.#stalledAt = handoffs(this.running.sampler.now())
  }
}

export interface Running {
  readonly pipeline: Pipeline
  readonly sampler: Sampler
  readonly history: HistogramHistory
  readonly analysis: LiveAnalysis
  readonly receipts: Receipts
  close(): void
}

function handoffs({ stages }: Snapshot): number {
  return Object.values(stages).reduce((sum, { workers }) => workers.reduce((all, each) => all + each.handoffs, sum), 0)
}
