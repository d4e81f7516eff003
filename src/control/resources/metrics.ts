import type { HistogramKind } from '../../plan/types.ts'
import { Metrics } from '../../telemetry/prometheus.ts'
import type { NodeCounter } from '../../telemetry/counters.ts'
import { endpoint, type Endpoint } from '../endpoint.ts'
import type { Room } from '../room.ts'
import { STATES, type Running, type Watched } from '../watched.ts'
import { HISTOGRAM_KINDS } from './histograms.ts'

const TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Upper bounds in seconds: 1, 2.5 and 5 of each power of ten from a microsecond to a hundred seconds. */
const TIME_BOUNDS: readonly number[] = Array.from({ length: 8 }, (_, i) => i - 6).flatMap((power) =>
  [1, 2.5, 5].map((step) => Number(`${step}e${power}`)),
)
const BATCH_BOUNDS: readonly number[] = Array.from({ length: 17 }, (_, i) => 2 ** i)

const COUNTERS: Readonly<Record<NodeCounter | 'out', readonly [name: string, help: string]>> = {
  in: ['in', 'Records that a node took; of a source, made.'],
  out: ['out', 'Records that a node handed on, all edges together.'],
  done: ['done', 'Inputs that a node is done with; of a source, records of which all is done.'],
  filtered: ['filtered', 'Records that a node filtered out.'],
  failed: ['failed', 'Records that a node gave up on and nacked; of a source, nacked records.'],
  deadLettered: ['dead_lettered', 'Records that a node gave up on and sent to an error or dead-letter edge.'],
  retried: ['retried', 'Further attempts beyond the first of each record.'],
  crashed: ['crashed', 'Records given up because their worker died with them too often.'],
}

const HISTOGRAMS: Readonly<Record<HistogramKind, readonly [name: string, help: string]>> = {
  service: ['service_seconds', 'Time of a call of the handler.'],
  lane: [
    'lane_seconds',
    'Time that records spent on the lane to a stage, with calls that are made while they lie there.',
  ],
  batch: ['batch_size_records', 'Records in a batch.'],
  ack: ['ack_seconds', 'Time from the making of a source record to its end.'],
  endToEnd: ['end_to_end_seconds', 'Time from the making of a source record to a stage where it ends.'],
}

export function metrics(room: Room): readonly Endpoint[] {
  return [
    endpoint('GET /metrics', {
      tag: 'health',
      summary: 'Everything that is counted, as Prometheus reads it.',
      answer: 'text/plain',
      handle: ({ reply }) => {
        void reply.type(TYPE)
        return metricsText([...room.pipelines.values()])
      },
    }),
  ]
}

function metricsText(all: readonly Watched[]): string {
  const text = new Metrics()
  for (const { name: pipeline, state } of all) {
    for (const each of STATES) {
      text.gauge(
        'millrace_pipeline_state',
        'One for the state that a pipeline is in.',
        { pipeline, state: each },
        each === state ? 1 : 0,
      )
    }
  }
  const started = all.filter(({ pipeline }) => pipeline !== undefined).map(({ name, running }) => ({ name, running }))
  for (const part of [pipelineMetrics, nodeMetrics, edgeMetrics, workerMetrics, histogramMetrics]) {
    for (const { name, running } of started) part(text, name, running)
  }
  return text.toString()
}

function pipelineMetrics(text: Metrics, pipeline: string, { pipeline: { plan, deadLetters }, sampler }: Running): void {
  const { elapsedMs } = sampler.now()
  text.gauge('millrace_pipeline_uptime_seconds', 'Time since the pipeline ran.', { pipeline }, elapsedMs / 1_000)
  text.gauge('millrace_pipeline_memory_bytes', 'Shared memory of a pipeline.', { pipeline }, plan.memoryBytes)
  text.counter(
    'millrace_dead_letters_total',
    'Records given up that the embedding thread was told of.',
    { pipeline },
    deadLetters.total,
  )
  text.counter(
    'millrace_dead_letters_dropped_total',
    'Dead letters that made room for newer ones.',
    { pipeline },
    deadLetters.dropped,
  )
  text.gauge('millrace_dead_letters_bytes', 'Memory of the kept dead letters.', { pipeline }, deadLetters.bytes)
}

function nodeMetrics(text: Metrics, pipeline: string, { sampler }: Running): void {
  for (const [node, counts] of Object.entries(sampler.now().nodes)) {
    for (const [key, [name, help]] of Object.entries(COUNTERS)) {
      text.counter(`millrace_node_records_${name}_total`, help, { pipeline, node }, counts[key as NodeCounter | 'out'])
    }
    text.gauge(
      'millrace_node_records_in_flight',
      'Records taken and not yet done.',
      { pipeline, node },
      counts.inFlight,
    )
  }
}

function edgeMetrics(text: Metrics, pipeline: string, { sampler }: Running): void {
  for (const { index, from, to, records, dropped, bytes, queued, capacity } of sampler.now().edges) {
    const labels = { pipeline, edge: index, from, to }
    text.counter('millrace_edge_records_total', 'Records sent over an edge.', labels, records)
    text.counter('millrace_edge_dropped_records_total', 'Records that a buffer dropped by its policy.', labels, dropped)
    text.counter('millrace_edge_bytes_total', 'Encoded bytes sent over an edge.', labels, bytes)
    text.gauge('millrace_edge_queued_records', 'Records on the lanes behind an edge.', labels, queued)
    text.gauge('millrace_edge_capacity_records', 'Records that the lanes behind an edge hold.', labels, capacity)
  }
}

function workerMetrics(text: Metrics, pipeline: string, running: Running): void {
  const { stages } = running.sampler.now()
  for (const { node, worker, state, epoch } of running.pipeline.workers()) {
    const labels = { pipeline, node, worker }
    const found = stages[node]!.workers[worker]!
    text.gauge('millrace_worker_up', 'One while a worker runs.', labels, state === 'running' ? 1 : 0)
    text.counter('millrace_worker_restarts_total', 'Lives of a worker that have ended.', labels, epoch)
    text.counter('millrace_worker_handoffs_total', 'Journalled steps of a worker.', labels, found.handoffs)
    const times = { busy: found.busyMs, starved: found.starvedMs, blocked: found.blockedMs, limited: found.limitedMs }
    for (const [spent, ms] of Object.entries(times)) {
      text.counter(
        'millrace_worker_time_seconds_total',
        'What the time of a worker went into.',
        { ...labels, spent },
        ms / 1_000,
      )
    }
  }
}

function histogramMetrics(text: Metrics, pipeline: string, running: Running): void {
  for (const kind of HISTOGRAM_KINDS) {
    const [name, help] = HISTOGRAMS[kind]
    for (const node of Object.keys(running.sampler.now().stages)) {
      const copy = running.pipeline.histogram(node, kind)
      if (copy === undefined) continue
      const [bounds, scale] = kind === 'batch' ? [BATCH_BOUNDS, 1] : [TIME_BOUNDS, 1e-9]
      text.histogram(`millrace_${name}`, help, { pipeline, node }, copy, bounds, scale)
    }
  }
}
