import { diff } from '../analysis/diff.ts'
import { bottlenecks, maxRate } from '../analysis/flow/capacity.ts'
import { latency } from '../analysis/flow/latency.ts'
import { simulate } from '../analysis/flow/simulate.ts'
import { whatIf } from '../analysis/flow/what-if.ts'
import { graphFromJson } from '../analysis/graph-from-json.ts'
import { validate } from '../analysis/validate.ts'
import type { ControlClient } from '../control/index.ts'
import { HISTOGRAMS } from '../figures.ts'
import type { GraphData } from '../graph/types.ts'

/** A tool as the protocol lists it, and what it does. `input` is JSON Schema of its arguments, beside `pipeline`. */
export interface Tool {
  readonly description: string
  readonly input?: Readonly<Record<string, object>>
  readonly required?: readonly string[]
  call(at: Place, given: Readonly<Record<string, unknown>>): Promise<unknown>
}

/** A pipeline behind a control API. */
export interface Place {
  readonly client: ControlClient
  readonly pipeline: string
}

type Resource = Parameters<ControlClient['read']>[1]

const read = (resource: Resource, description: string): Tool => ({
  description,
  call: ({ client, pipeline }) => client.read(pipeline, resource),
})

const CORES = { type: 'number', exclusiveMinimum: 0, description: 'Cores that `cpu` stages share. Default: no limit.' }

/** All only look: nothing here changes a pipeline. */
export const TOOLS: Readonly<Record<string, Tool>> = {
  analysis: read(
    '/analysis',
    'Which stage limits the pipeline and why, in a sentence; which stage waits for which; declared, predicted and measured figures; drift; the ledger.',
  ),
  stats: read('/stats', 'Rates over 1 s, 10 s and 1 min, totals, and how each worker spends its time.'),
  stages: read('/stages', 'Stages and workers: state, restarts with their causes, records in progress.'),
  lanes: read('/lanes', 'Lanes between workers: credit, fill, time that writers were blocked.'),
  histograms: read(
    '/histograms',
    `Percentiles of each stage: ${Object.values(HISTOGRAMS)
      .map(({ label }) => label)
      .join(', ')}.`,
  ),
  dead_letters: read('/dead-letters', 'Records that failed, with their errors.'),
  events: read('/events', 'The latest events: crashes, restarts, retries, stalls.'),
  plan: read('/plan', 'The plan of the graph: stages, workers, lanes and the bytes that they use.'),
  graph: read('/graph', 'The graph: nodes, edges and their options.'),
  check: {
    description: 'Problems of the graph, with codes and fixes.',
    call: async (at) => ({ problems: validate(await graphOf(at)) }),
  },
  simulate: {
    description:
      'Predicts rates, loads, the bottleneck, the largest rates and the latency from what the graph declares.',
    input: { cores: CORES },
    async call(at, given) {
      const [graph, options] = [await graphOf(at), optionsOf(given)]
      return {
        simulation: simulate(graph, options),
        bottlenecks: bottlenecks(graph, options),
        maxRate: maxRate(graph, options),
        latency: latency(graph, options),
      }
    },
  },
  what_if: {
    description: 'The predicted flow with some options of nodes changed, beside the flow as it is.',
    input: {
      nodes: {
        type: 'object',
        description: 'Options by node: { "parse": { "concurrency": 3 } }.',
        additionalProperties: { type: 'object' },
      },
      cores: CORES,
    },
    required: ['nodes'],
    call: async (at, given) =>
      whatIf(await graphOf(at), { nodes: given['nodes'] as Record<string, object> }, optionsOf(given)),
  },
  diff: {
    description: 'What another graph changes: options, throughput, bottleneck, critical path.',
    input: {
      graph: { type: 'object', description: 'The other graph: { name, nodes, edges, clusters }.' },
      cores: CORES,
    },
    required: ['graph'],
    call: async (at, given) => diff(await graphOf(at), graphFromJson(given['graph']), optionsOf(given)),
  },
}

async function graphOf({ client, pipeline }: Place): Promise<GraphData> {
  return graphFromJson(await client.read(pipeline, '/graph'))
}

function optionsOf({ cores }: Readonly<Record<string, unknown>>): { readonly cores?: number } {
  return typeof cores === 'number' && cores > 0 ? { cores } : {}
}
