import { MillraceError } from '../errors.js'
import { HistogramHistory } from '../telemetry/histogram-history.js'
import { Sampler } from '../telemetry/sampler.js'
import { EventLog } from './event-log.js'
import { LiveAnalysis } from './live-analysis.js'
import { Receipts } from './receipts.js'
/** States of a pipeline as the API tells them: `ended` is told apart by how it ended. */
export const STATES = ['starting', 'running', 'draining', 'stopping', 'finished', 'drained', 'stopped', 'failed']
/** A pipeline under control: its last minute, its last events, and the records that were pushed into it. */
export class Watched {
  name
  events
  /** Why it did not start, or what ended it. */
  failure
  report
  /** Hand-offs at the moment of the last `pipeline.stalled`. */
  #stalledAt
  #running
  constructor(name, pipeline, options) {
    this.name = name
    this.events = new EventLog(options.keptEvents, options.showRecords)
    if ('then' in pipeline) {
      pipeline.then(
        (started) => this.#watch(started),
        (error) => (this.failure = error),
      )
    } else {
      this.#watch(pipeline)
    }
  }
  get state() {
    if (this.#running === undefined) return this.failure === undefined ? 'starting' : 'failed'
    const { state } = this.#running.pipeline
    if (state !== 'ended') return state
    return this.report?.outcome ?? (this.failure === undefined ? 'stopping' : 'failed')
  }
  /** The parts that only a pipeline has that was started. @throws PIPELINE_STARTING, or why it was not */
  get running() {
    if (this.#running !== undefined) return this.#running
    if (this.failure === undefined) throw new MillraceError('PIPELINE_STARTING', { pipeline: this.name })
    if (this.failure instanceof MillraceError && !this.failure.code.startsWith('START_')) {
      throw new MillraceError('START_FAILED', { pipeline: this.name, reason: this.failure.code })
    }
    throw this.failure
  }
  /** The pipeline, where it was started. */
  get pipeline() {
    return this.#running?.pipeline
  }
  /** Records are in flight, and none has moved since the pipeline said so. */
  get isStalled() {
    if (this.#stalledAt === undefined || this.#running === undefined || this.state !== 'running') return false
    if (handoffs(this.#running.sampler.now()) !== this.#stalledAt) this.#stalledAt = undefined
    return this.#stalledAt !== undefined
  }
  close() {
    this.#running?.close()
  }
  #watch(pipeline) {
    const sampler = new Sampler(() => pipeline.snapshot())
    const history = new HistogramHistory()
    const unlisten = pipeline.events.on('*', (event) => this.events.add(event))
    const untell = this.events.listen((event) => this.#noteStall(event))
    const close = () => {
      unlisten()
      untell()
      sampler.close()
      history.close()
    }
    const analysis = new LiveAnalysis(pipeline, sampler)
    this.#running = { pipeline, sampler, history, analysis, receipts: new Receipts(pipeline), close }
    pipeline.finished.then(
      (report) => this.#ended(report, sampler),
      (error) => {
        this.failure = error
        this.#ended(error.report, sampler)
      },
    )
  }
  #ended(report, sampler) {
    this.report = report
    sampler.close()
  }
  #noteStall({ name }) {
    if (name === 'pipeline.stalled') this.#stalledAt = handoffs(this.running.sampler.now())
  }
}
function handoffs({ stages }) {
  return Object.values(stages).reduce((sum, { workers }) => workers.reduce((all, each) => all + each.handoffs, sum), 0)
}
