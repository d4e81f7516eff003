import { Type } from 'typebox'
import { WORKER_STATES } from '../../memory/control.ts'
import { NODE_FIGURES, namesOf } from '../../figures.ts'
import type { StagePlan } from '../../plan/types.ts'
import type { Snapshot, StageSnapshot } from '../../telemetry/snapshot.ts'
import { countsOf, EDGE_COUNTS, withCounts } from '../../telemetry/counts.ts'
import { edgeRates, NODE_RATES, nodeRates, withRates } from '../../telemetry/rates.ts'
import { stageTime } from '../../telemetry/stage-time.ts'
import { workerTime } from '../../telemetry/times.ts'
import { endpoint, PIPELINE, type Endpoint } from '../endpoint.ts'
import { type Room, runningOf } from '../room.ts'
import type { Running } from '../watched.ts'
import { Counts, EDGE_COUNT_FIELDS, EDGE_RATE_FIELDS, NODE_RATE_FIELDS, Shares } from './figures.ts'

/** The windows of rates and shares. */
export const WINDOW_NAMES = ['1s', '10s', '1m'] as const
export type WindowName = (typeof WINDOW_NAMES)[number]
const WINDOW_SECONDS: Readonly<Record<WindowName, number>> = { '1s': 1, '10s': 10, '1m': 60 }

export const StageWindow = Type.Object({ ...NODE_RATE_FIELDS, shares: Shares })
export type StageWindow = Type.Static<typeof StageWindow>

const inEachWindow = <T extends Type.TSchema>(schema: T) => Type.Object({ '1s': schema, '10s': schema, '1m': schema })

export const StatsAnswer = Type.Object(
  {
    pipeline: Type.String(),
    time: Type.Number({ description: 'Milliseconds since 1970.' }),
    elapsedMs: Type.Number({ description: 'Milliseconds since the pipeline started running.' }),
    seconds: inEachWindow(
      Type.Number({
        description:
          'Actual length of the window, in seconds. Shorter than its name until the pipeline has been sampled that long.',
      }),
    ),
    stages: Type.Array(
      Type.Object({
        node: Type.String(),
        kind: Type.Enum(['source', 'transform', 'sink']),
        totals: Counts,
        windows: inEachWindow(StageWindow),
        workers: Type.Array(
          Type.Object({
            worker: Type.Integer(),
            state: Type.Enum([...WORKER_STATES]),
            handoffs: Type.Integer(),
            windows: inEachWindow(Shares),
          }),
        ),
      }),
    ),
    nodes: Type.Array(Type.Object({ node: Type.String(), totals: Counts }), {
      description: 'Nodes that run in the workers of another stage: fused nodes and nodes without threads.',
    }),
    edges: Type.Array(
      Type.Object({
        index: Type.Integer({ description: 'Index into the edges of the graph.' }),
        from: Type.String(),
        to: Type.String(),
        ...EDGE_COUNT_FIELDS,
        windows: inEachWindow(Type.Object(EDGE_RATE_FIELDS)),
      }),
    ),
  },
  { examples: [example()] },
)
export type StatsAnswer = Type.Static<typeof StatsAnswer>

export function stats(room: Room): readonly Endpoint[] {
  return [
    endpoint('GET /pipelines/:pipeline/stats', {
      tag: 'figures',
      summary: 'Returns totals, rates over 1 s, 10 s and 1 min, and how workers spend their time.',
      params: PIPELINE,
      answer: StatsAnswer,
      handle: ({ params }) => statsOf(runningOf(room, params.pipeline)),
    }),
  ]
}

/** What a window begins with, and how many seconds ago that really was. */
interface Look {
  readonly before: Snapshot | undefined
  readonly seconds: number
}

function statsOf({ pipeline, sampler }: Running): StatsAnswer {
  const now = sampler.now()
  const looks = eachWindow((name): Look => {
    const before = sampler.before(now, WINDOW_SECONDS[name])
    return { before, seconds: (now.elapsedMs - (before?.elapsedMs ?? 0)) / 1_000 }
  })
  const shown = pipeline.plan.nodeStages
  return {
    pipeline: now.pipeline,
    time: now.time,
    elapsedMs: now.elapsedMs,
    seconds: eachWindow((name) => looks[name].seconds),
    stages: shown.map((stage) => {
      const found = now.stages[stage.node]!
      const before = eachWindow((name) => looks[name].before?.stages[stage.node])
      return {
        node: stage.node,
        kind: stage.kind,
        totals: countsOf(found),
        windows: eachWindow((name) => windowOf(stage, found, before[name], looks[name].seconds)),
        workers: found.workers.map((worker, i) => ({
          worker: worker.ordinal,
          state: worker.state,
          handoffs: worker.handoffs,
          windows: eachWindow((name) => workerTime(worker, before[name]?.workers[i], looks[name].seconds)),
        })),
      }
    }),
    nodes: Object.entries(now.nodes)
      .filter(([node]) => !Object.hasOwn(now.stages, node))
      .map(([node, counts]) => ({ node, totals: countsOf(counts) })),
    edges: now.edges.map((edge) => {
      const { index, from, to } = edge
      const windows = eachWindow((name) => edgeRates(edge, looks[name].before?.edges[index], looks[name].seconds))
      return withCounts({ index, from, to, windows }, EDGE_COUNTS, edge)
    }),
  }
}

function windowOf(
  stage: StagePlan,
  now: StageSnapshot,
  before: StageSnapshot | undefined,
  seconds: number,
): StageWindow {
  return withRates({ shares: stageTime(stage, now, before, seconds) }, NODE_RATES, now, before, seconds)
}

function eachWindow<T>(of: (name: WindowName) => T): Record<WindowName, T> {
  return { '1s': of('1s'), '10s': of('10s'), '1m': of('1m') }
}

function example(): object {
  const shares = { busy: 0.98, starved: 0.01, blocked: 0, limited: 0 }
  const window = { ...nodeRates(exampleCounts({ in: 79.8, done: 79.8, out: 79.8 }), undefined, 1), shares }
  const totals = exampleCounts({ in: 4_788, done: 4_787, out: 4_787, inFlight: 1 })
  const worker = { worker: 0, state: 'running', handoffs: 4_787, windows: eachWindow(() => shares) }
  return {
    pipeline: 'orders',
    time: 1_790_000_000_000,
    elapsedMs: 60_214,
    seconds: { '1s': 1, '10s': 10, '1m': 60 },
    stages: [{ node: 'enrich', kind: 'transform', totals, windows: eachWindow(() => window), workers: [worker] }],
    nodes: [{ node: 'is_express', totals }],
    edges: [
      {
        index: 0,
        from: 'parse',
        to: 'enrich',
        records: 8_884,
        dropped: 0,
        bytes: 284_288,
        queued: 4_096,
        capacity: 4_096,
        windows: eachWindow(() => ({ recordsPerSecond: 79.8, droppedPerSecond: 0, bytesPerSecond: 2_554 })),
      },
    ],
  }
}

/** Counts of which the others are 0. */
function exampleCounts(given: Partial<Counts>): Counts {
  return { ...(Object.fromEntries(namesOf(NODE_FIGURES).map((name) => [name, 0])) as Counts), ...given }
}
