import { EDGE_FIGURES, type Figure, HISTOGRAMS, NODE_FIGURES, namesOf } from '../../figures.ts'
import { Metrics } from '../../telemetry/prometheus.ts'
import { TIME_NAMES } from '../../telemetry/times.ts'
import { endpoint, type Endpoint } from '../endpoint.ts'
import type { Room } from '../room.ts'
import { STATES, type Running, type Watched } from '../watched.ts'

const TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export function metrics(room: Room): readonly Endpoint[] {
  return [
    endpoint('GET /metrics', {
      tag: 'health',
      summary: 'Returns all metrics in the text format of Prometheus.',
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
  return text.toString()
}

function pipelineMetrics(text: Metrics, pipeline: string, { pipeline: { plan, deadLetters }, sampler }: Running): void {
  const { elapsedMs } = sampler.now()
  text.gauge(
    'millrace_pipeline_uptime_seconds',
    'Time since the pipeline started running.',
    { pipeline },
    elapsedMs / 1_000,
  )
  text.gauge('millrace_pipeline_memory_bytes', 'Shared memory of the pipeline.', { pipeline }, plan.memoryBytes)
  text.counter(
    'millrace_dead_letters_total',
    'Records given up and reported as dead letters.',
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
}

function nodeMetrics(text: Metrics, pipeline: string, { sampler }: Running): void {
  for (const [node, counts] of Object.entries(sampler.now().nodes)) add(text, NODE_FIGURES, { pipeline, node }, counts)
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
