import {
  EDGE_FIGURES,
  type Figure,
  HISTOGRAMS,
  JOURNAL_FIGURES,
  NODE_FIGURES,
  namesOf,
  TRIGGERS,
} from '../../figures.ts'
import { within } from '../../running-time.ts'
import type { TracerMetrics } from '../../trace/tracer.ts'
import type { TraceRates } from '../../trace/tracing.ts'
import { Metrics } from '../../telemetry/prometheus.ts'
import { TIME_NAMES } from '../../telemetry/times.ts'
import { endpoint, type Endpoint } from '../endpoint.ts'
import type { Room } from '../room.ts'
import { STATES, type Running, type Watched } from '../watched.ts'

/** A tracer that does not answer in time, because it has died and is started again, say, is left out. */
const TRACER_MS = 1_000
const TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export function metrics(room: Room): readonly Endpoint[] {
  return [
    endpoint('GET /metrics', {
      tag: 'health',
      summary: 'Returns all metrics in the text format of Prometheus.',
      answer: 'text/plain',
      handle: async ({ reply }) => {
        void reply.type(TYPE)
        return metricsText([...room.pipelines.values()])
      },
    }),
  ]
}

async function metricsText(all: readonly Watched[]): Promise<string> {
  const text = new Metrics()
  for (const { name: pipeline, state } of all) {
    for (const each of STATES) {
      text.gauge(
        'millrace_pipeline_state',
        '1 for the current state of the pipeline, 0 for all others.',
        { pipeline, state: each },
        each === state ? 1 : 0,
      )
    }
  }
  const started = all.filter(({ pipeline }) => pipeline !== undefined).map(({ name, running }) => ({ name, running }))
  for (const part of [pipelineMetrics, nodeMetrics, edgeMetrics, workerMetrics, histogramMetrics]) {
    for (const { name, running } of started) part(text, name, running)
  }
  const traced = started.map(async ({ name, running }) => ({ name, found: await within(TRACER_MS, tracerOf(running)) }))
  for (const { name, found } of await Promise.all(traced)) if (found !== undefined) tracerMetrics(text, name, found)
  return text.toString()
}

function pipelineMetrics(text: Metrics, pipeline: string, { pipeline: { plan, deadLetters }, sampler }: Running): void {
  const { elapsedMs, journal } = sampler.now()
  text.gauge(
    'millrace_pipeline_uptime_seconds',
    'Time since the pipeline started running.',
    { pipeline },
    elapsedMs / 1_000,
  )
  text.gauge('millrace_pipeline_memory_bytes', 'Shared memory of the pipeline.', { pipeline }, plan.memoryBytes)
  text.counter(
    'millrace_dead_letters_total',
    'Records that failed and were reported as dead letters.',
    { pipeline },
    deadLetters.total,
  )
  text.counter(
    'millrace_dead_letters_dropped_total',
    'Dead letters removed to make room for newer ones.',
    { pipeline },
    deadLetters.dropped,
  )
  text.gauge('millrace_dead_letters_bytes', 'Memory used by the kept dead letters.', { pipeline }, deadLetters.bytes)
  if (journal === undefined) return
  add(text, JOURNAL_FIGURES, { pipeline }, journal)
  for (const state of ['ok', 'full', 'failed'] as const)
    text.gauge(
      'millrace_journal_state',
      '1 for the current state of the ingress journal, 0 for the others.',
      { pipeline, state },
      journal.state === state ? 1 : 0,
    )
}

function nodeMetrics(text: Metrics, pipeline: string, { sampler }: Running): void {
  const { nodes, stages } = sampler.now()
  for (const [node, counts] of Object.entries(nodes)) add(text, NODE_FIGURES, { pipeline, node }, counts)
  for (const [node, { batches }] of Object.entries(stages)) {
    if (batches === undefined) continue
    for (const trigger of namesOf(TRIGGERS))
      text.counter(
        'millrace_batches_total',
        'Batches processed, by what completed them.',
        { pipeline, node, trigger },
        batches[trigger],
      )
  }
}

function edgeMetrics(text: Metrics, pipeline: string, { sampler }: Running): void {
  for (const edge of sampler.now().edges)
    add(text, EDGE_FIGURES, { pipeline, edge: edge.index, from: edge.from, to: edge.to }, edge)
}

/** One sample for each figure of a table. */
function add<Name extends string>(
  text: Metrics,
  table: Readonly<Record<Name, Figure>>,
  labels: Readonly<Record<string, string | number>>,
  values: Readonly<Record<NoInfer<Name>, number>>,
): void {
  for (const name of namesOf(table)) {
    const { kind, metric, text: help } = table[name]
    if (metric !== undefined) text[kind](`millrace_${metric}`, help, labels, values[name])
  }
}

function workerMetrics(text: Metrics, pipeline: string, running: Running): void {
  const { stages } = running.sampler.now()
  for (const { node, worker, state, epoch } of running.pipeline.workers()) {
    const labels = { pipeline, node, worker }
    const found = stages[node]!.workers[worker]!
    text.gauge('millrace_worker_up', '1 while the worker is running.', labels, state === 'running' ? 1 : 0)
    text.counter('millrace_worker_restarts_total', 'Restarts of the worker.', labels, epoch)
    text.counter('millrace_worker_handoffs_total', 'Hand-offs committed by the worker.', labels, found.handoffs)
    for (const [spent, ms] of TIME_NAMES) {
      text.counter(
        'millrace_worker_time_seconds_total',
        'Time of the worker, by what it was spent on.',
        { ...labels, spent },
        found[ms] / 1_000,
      )
    }
  }
}

function histogramMetrics(text: Metrics, pipeline: string, running: Running): void {
  for (const kind of namesOf(HISTOGRAMS)) {
    const { metric, text: help, unit, bounds } = HISTOGRAMS[kind]
    for (const node of Object.keys(running.sampler.now().stages)) {
      const copy = running.pipeline.histogram(node, kind)
      if (copy === undefined) continue
      text.histogram(`millrace_${metric}`, help, { pipeline, node }, copy, bounds, unit === 'ns' ? 1e-9 : 1)
    }
  }
}

async function tracerOf({ pipeline: { tracing } }: Running): Promise<Traced | undefined> {
  return tracing && { rates: tracing.rates, metrics: await tracing.metrics() }
}

interface Traced {
  readonly rates: TraceRates
  readonly metrics: TracerMetrics
}

/** What the tracer counts, as `counter` of what. */
const TRACER_COUNTERS = {
  read: ['events', 'Events of traces that were read.'],
  bytes: ['bytes', 'Bytes of the events that were read.'],
  dropped: ['dropped_events', 'Events of traces that had no room in their ring.'],
  truncated: ['truncated_events', 'Events of traces of which parts had no room.'],
  threw: ['predicate_errors', 'Calls of trace predicates that threw.'],
  refused: ['refused_attributes', 'Attributes of traces that were refused, and calls of redact that threw.'],
  forgotten: ['forgotten_events', 'Events of traces that were not worth keeping at their end.'],
  droppedHeld: ['dropped_held_events', 'Events of traces that were too many to hold until their end.'],
  deaths: ['tracer_restarts', 'Restarts of the tracer.'],
} as const

const SINK_COUNTERS = {
  written: ['written_events', 'Events of traces that the sink wrote.'],
  droppedFull: ['sink_dropped_full_events', 'Events of traces that had no room in the queue of the sink.'],
  droppedByError: ['sink_dropped_error_events', 'Events of traces that the sink could not write.'],
} as const

function tracerMetrics(text: Metrics, pipeline: string, { rates, metrics: { sinks, ...metrics } }: Traced): void {
  const labels = { pipeline }
  text.gauge('millrace_trace_rate', 'Share of the source chunks that are traced.', labels, rates.rate)
  for (const name of namesOf(TRACER_COUNTERS)) {
    const [metric, help] = TRACER_COUNTERS[name]
    text.counter(`millrace_trace_${metric}_total`, help, labels, metrics[name])
  }
  text.gauge('millrace_trace_held_events', 'Events of traces that wait for their ends.', labels, metrics.held)
  text.gauge('millrace_trace_lag_seconds', 'Age of the oldest event when it was read.', labels, metrics.lagMs / 1_000)
  text.gauge('millrace_trace_ring_fill', 'Largest share of a trace ring that is taken.', labels, metrics.fill)
  text.gauge('millrace_trace_pressure', 'How often the share that is traced is halved.', labels, metrics.pressure)
  for (const name of namesOf(SINK_COUNTERS)) {
    const [metric, help] = SINK_COUNTERS[name]
    for (const sink of sinks)
      text.counter(`millrace_trace_${metric}_total`, help, { pipeline, sink: sink.name }, sink[name])
  }
  for (const { name: sink, waiting } of sinks)
    text.gauge(
      'millrace_trace_sink_waiting_events',
      'Events of traces that wait for the sink.',
      { pipeline, sink },
      waiting,
    )
}
