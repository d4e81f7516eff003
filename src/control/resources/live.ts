import { Type } from 'typebox'
import { WORKER_STATES } from '../../memory/control.ts'
import type { Snapshot } from '../../telemetry/snapshot.ts'
import { EDGE_COUNTS, NODE_COUNTS, withCounts } from '../../telemetry/counts.ts'
import { EDGE_RATES, NODE_RATES, perSecond, withRates } from '../../telemetry/rates.ts'
import { stageTime } from '../../telemetry/stage-time.ts'
import { workerTime } from '../../telemetry/times.ts'
import { EDGE_COUNT_FIELDS, EDGE_RATE_FIELDS, NODE_COUNT_FIELDS, NODE_RATE_FIELDS, Shares } from './figures.ts'
import { ScaleView, scaleView } from './scaling.ts'
import { STATES, type Running, type Watched } from '../watched.ts'

/** Beside the remedy. */
export const RESIZE_TO = Type.Optional(
  Type.Integer({
    description: 'Workers to resize the bottleneck to, as the remedy proposes; absent if it cannot be resized so far.',
  }),
)

/** What subscribers are sent again and again: a pipeline in short, its rates over the last second. */
export const Live = Type.Object(
  {
    time: Type.Number({ description: 'Milliseconds since 1970.' }),
    elapsedMs: Type.Number(),
    state: Type.Enum([...STATES]),
    isPaused: Type.Boolean(),
    bottleneck: Type.Object({
      node: Type.Optional(Type.String()),
      sentence: Type.String(),
      remedy: Type.String(),
      resizeTo: RESIZE_TO,
    }),
    totals: Type.Object(
      {
        acked: Type.Integer({ description: 'Source records that were acked.' }),
        ackedPerSecond: Type.Number(),
        failed: Type.Integer(),
        inFlight: Type.Integer(),
      },
      { description: 'Totals of all sources.' },
    ),
    deadLetters: Type.Integer({ description: 'Records that failed since the start.' }),
    drain: Type.Optional(
      Type.Object(
        {
          left: Type.Integer({ description: 'Source records in flight.' }),
          atFirst: Type.Integer({ description: 'The same when the drain began.' }),
          forMs: Type.Number(),
          leftMs: Type.Number({ description: 'Milliseconds until its deadline.' }),
        },
        { description: 'How far a drain is; absent while the pipeline does not drain.' },
      ),
    ),
    stages: Type.Array(
      Type.Object({
        node: Type.String(),
        ...NODE_COUNT_FIELDS,
        ...NODE_RATE_FIELDS,
        shares: Shares,
        p50Ms: Type.Number({ description: 'Of the service time, since the start.' }),
        p99Ms: Type.Number({ description: 'Of the service time, since the start.' }),
        scale: Type.Optional(ScaleView),
        workers: Type.Array(
          Type.Object({
            state: Type.Enum([...WORKER_STATES]),
            epoch: Type.Integer(),
            inHand: Type.Integer(),
            shares: Shares,
          }),
        ),
      }),
    ),
    edges: Type.Array(Type.Object({ ...EDGE_COUNT_FIELDS, ...EDGE_RATE_FIELDS }), {
      description: 'In the order of the edges in the graph.',
    }),
  },
  { description: 'Totals since the start; rates and shares over the last second.' },
)
export type Live = Type.Static<typeof Live>

export function liveOf(watched: Watched): Live {
  const { pipeline, sampler, analysis }: Running = watched.running
  const now = sampler.now()
  const before = sampler.before(now, 1)
  const seconds = (now.elapsedMs - (before?.elapsedMs ?? 0)) / 1_000
  const { bottleneck: node, sentence, remedy } = analysis.explained.explanation
  const { resizeTo } = analysis
  const drain = pipeline.drainProgress
  const plans = new Map(pipeline.plan.stages.map((stage) => [stage.node, stage]))
  const scales = new Map(pipeline.scaling().map((status) => [status.node, scaleView(status)]))
  const statuses = new Map(pipeline.workers().map((status) => [`${status.worker} ${status.node}`, status]))
  return {
    time: now.time,
    elapsedMs: now.elapsedMs,
    state: watched.state,
    isPaused: pipeline.isPaused(),
    bottleneck: {
      ...(node === undefined ? {} : { node }),
      sentence,
      remedy,
      ...(resizeTo === undefined ? {} : { resizeTo }),
    },
    totals: totalsOf(now, before, seconds),
    deadLetters: pipeline.deadLetters.total,
    ...(drain === undefined ? {} : { drain: { ...drain } }),
    stages: Object.values(now.stages).map((stage) => {
      const earlier = before?.stages[stage.node]
      const workers = stage.workers.map((worker, i) => {
        const status = statuses.get(`${worker.ordinal} ${stage.node}`)
        return {
          state: worker.state,
          epoch: status?.epoch ?? 0,
          inHand: status?.inHand ?? 0,
          shares: workerTime(worker, earlier?.workers[i], seconds),
        }
      })
      const scale = scales.get(stage.node)
      const own = {
        node: stage.node,
        shares: stageTime(plans.get(stage.node)!, stage, earlier, seconds),
        p50Ms: (stage.histograms.service?.p50 ?? 0) / 1e6,
        p99Ms: (stage.histograms.service?.p99 ?? 0) / 1e6,
        ...(scale === undefined ? {} : { scale }),
        workers,
      }
      return withRates(withCounts(own, NODE_COUNTS, stage), NODE_RATES, stage, earlier, seconds)
    }),
    edges: now.edges.map((edge) =>
      withRates(withCounts({}, EDGE_COUNTS, edge), EDGE_RATES, edge, before?.edges[edge.index], seconds),
    ),
  }
}

function totalsOf(now: Snapshot, before: Snapshot | undefined, seconds: number): Live['totals'] {
  const acked = ofSources(now, 'done')
  return {
    acked,
    ackedPerSecond: perSecond(acked - ofSources(before, 'done'), seconds),
    failed: ofSources(now, 'failed'),
    inFlight: ofSources(now, 'inFlight'),
  }
}

function ofSources(snapshot: Snapshot | undefined, key: 'done' | 'failed' | 'inFlight'): number {
  const sources = Object.values(snapshot?.stages ?? {}).filter(({ kind }) => kind === 'source')
  return sources.reduce((sum, source) => sum + source[key], 0)
}
