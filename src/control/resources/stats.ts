import { Type } from 'typebox'
import { WORKER_STATES } from '../../plan/control.ts'
import { NODE_COUNTERS } from '../../telemetry/counters.ts'
import type { StagePlan } from '../../plan/types.ts'
import type { Snapshot, StageSnapshot, WorkerSnapshot } from '../../telemetry/snapshot.ts'
import { stageTime } from '../../telemetry/stage-time.ts'
import { endpoint, PIPELINE, type Endpoint } from '../endpoint.ts'
import { type Room, runningOf } from '../room.ts'
import type { Running } from '../watched.ts'

/** The windows of rates and shares. */
export const WINDOW_NAMES = ['1s', '10s', '1m'] as const
export type WindowName = (typeof WINDOW_NAMES)[number]
const WINDOW_SECONDS: Readonly<Record<WindowName, number>> = { '1s': 1, '10s': 10, '1m': 60 }

const share = (description: string): Type.TNumber => Type.Number({ minimum: 0, maximum: 1, description })

export const Shares = Type.Object({
  busy: share('In the handler.'),
  starved: share('Without records.'),
  blocked: share('Without credit below; of a source, without room in its window.'),
  limited: share('Held by the rate limit.'),
})
export type Shares = Type.Static<typeof Shares>

const perSecond = (description: string): Type.TNumber => Type.Number({ minimum: 0, description })

export const StageWindow = Type.Object({
  in: perSecond('Records per second taken; of a source: made.'),
  out: perSecond('Records per second handed on, all edges together.'),
  done: perSecond('Inputs per second that it is done with.'),
  filtered: perSecond('Per second.'),
  failed: perSecond('Per second.'),
  deadLettered: perSecond('Per second.'),
  retried: perSecond('Further attempts per second.'),
  shares: Shares,
})
export type StageWindow = Type.Static<typeof StageWindow>

const inEachWindow = <T extends Type.TSchema>(schema: T) => Type.Object({ '1s': schema, '10s': schema, '1m': schema })

export const Counts = Type.Object({
  ...(Object.fromEntries(NODE_COUNTERS.map((name) => [name, Type.Integer()])) as Record<
    (typeof NODE_COUNTERS)[number],
    Type.TInteger
  >),
  out: Type.Integer(),
  inFlight: Type.Integer(),
  injected: Type.Integer(),
})
export type Counts = Type.Static<typeof Counts>

export const StatsAnswer = Type.Object(
  {
    pipeline: Type.String(),
    time: Type.Number({ description: 'Milliseconds since 1970.' }),
    elapsedMs: Type.Number({ description: 'Milliseconds since the pipeline ran.' }),
    seconds: inEachWindow(
      Type.Number({ description: 'How long the window really is: shorter while there is no more to look back on.' }),
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
      description: 'Nodes that other stages run: fused ones, and those without threads.',
    }),
    edges: Type.Array(
      Type.Object({
        index: Type.Integer({ description: 'Index into the edges of the graph.' }),
        from: Type.String(),
        to: Type.String(),
        records: Type.Integer(),
        dropped: Type.Integer(),
        bytes: Type.Integer(),
        queued: Type.Integer({ description: 'Records on the lanes behind this edge just now.' }),
        capacity: Type.Integer(),
        rates: inEachWindow(perSecond('Records per second.')),
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
      summary: 'Totals, rates over a second, ten seconds and a minute, and what the workers’ time goes into.',
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
  const shown = pipeline.plan.stages.filter(({ isHidden }) => !isHidden)
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
          windows: eachWindow((name) => workerShares(worker, before[name]?.workers[i], looks[name].seconds)),
        })),
      }
    }),
    nodes: Object.entries(now.nodes)
      .filter(([node]) => !Object.hasOwn(now.stages, node))
      .map(([node, counts]) => ({ node, totals: countsOf(counts) })),
    edges: now.edges.map(({ index, from, to, records, dropped, bytes, queued, capacity }) => ({
      index,
      from,
      to,
      records,
      dropped,
      bytes,
      queued,
      capacity,
      rates: eachWindow((name) =>
        rate(records - (looks[name].before?.edges[index]?.records ?? 0), looks[name].seconds),
      ),
    })),
  }
}

function windowOf(
  stage: StagePlan,
  now: StageSnapshot,
  before: StageSnapshot | undefined,
  seconds: number,
): StageWindow {
  return {
    in: rate(now.in - (before?.in ?? 0), seconds),
    out: rate(now.out - (before?.out ?? 0), seconds),
    done: rate(now.done - (before?.done ?? 0), seconds),
    filtered: rate(now.filtered - (before?.filtered ?? 0), seconds),
    failed: rate(now.failed - (before?.failed ?? 0), seconds),
    deadLettered: rate(now.deadLettered - (before?.deadLettered ?? 0), seconds),
    retried: rate(now.retried - (before?.retried ?? 0), seconds),
    shares: stageTime(stage, now, before, seconds),
  }
}

/** What a worker's time went into. Looks at running counters may be torn: a share stays one. */
export function workerShares(now: WorkerSnapshot, before: WorkerSnapshot | undefined, seconds: number): Shares {
  const share = (key: 'busyMs' | 'starvedMs' | 'blockedMs' | 'limitedMs'): number =>
    seconds <= 0 ? 0 : Math.min(1, Math.max(0, now[key] - (before?.[key] ?? 0)) / (1_000 * seconds))
  return {
    busy: share('busyMs'),
    starved: share('starvedMs'),
    blocked: share('blockedMs'),
    limited: share('limitedMs'),
  }
}

export function rate(count: number, seconds: number): number {
  return seconds <= 0 ? 0 : Math.max(0, count) / seconds
}

function countsOf(given: Counts): Counts {
  const { in: taken, done, filtered, failed, deadLettered, retried, crashed, out, inFlight, injected } = given
  return { in: taken, done, filtered, failed, deadLettered, retried, crashed, out, inFlight, injected }
}

function eachWindow<T>(of: (name: WindowName) => T): Record<WindowName, T> {
  return { '1s': of('1s'), '10s': of('10s'), '1m': of('1m') }
}

function example(): object {
  const shares = { busy: 0.98, starved: 0.01, blocked: 0, limited: 0 }
  const window = { in: 79.8, out: 79.8, done: 79.8, filtered: 0, failed: 0, deadLettered: 0, retried: 0, shares }
  const counts = { in: 4_788, done: 4_787, filtered: 0, failed: 0, deadLettered: 0, retried: 0, crashed: 0 }
  const totals = { ...counts, out: 4_787, inFlight: 1, injected: 0 }
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
        rates: eachWindow(() => 79.8),
      },
    ],
  }
}
