import { Type } from 'typebox'
import { MillraceError } from '../../errors.ts'
import { namesOf, TRIGGERS, type BatchTrigger } from '../../figures.ts'
import { WORKER_STATES } from '../../memory/control.ts'
import type { Death } from '../../supervisor/history.ts'
import type { WorkerStatus } from '../../supervisor/worker-status.ts'
import { endpoint, examplesOf, NODE, PIPELINE, type Endpoint } from '../endpoint.ts'
import { wallMsAt } from '../../time.ts'
import { ErrorView, errorView } from '../error-view.ts'
import { type Room, runningOf } from '../room.ts'
import { NODE_COUNT_FIELDS } from './figures.ts'
import type { Running } from '../watched.ts'

export const DeathView = Type.Object({
  epoch: Type.Integer({ description: 'Epoch of the worker that ended.' }),
  time: Type.Number({ description: 'Milliseconds since 1970.' }),
  counts: Type.Boolean({ description: 'Counts against the restart limit of the stage.' }),
  error: ErrorView,
})

export const WorkerView = Type.Object({
  worker: Type.Integer({ description: 'Index in the stage, from 0.' }),
  state: Type.Enum([...WORKER_STATES]),
  epoch: Type.Integer({ description: 'Number of restarts so far.' }),
  threadId: Type.Optional(Type.Integer()),
  inHand: Type.Integer({ description: 'Records that its handler is working on.' }),
  restarts: Type.Array(DeathView, { description: 'Earlier epochs and how they ended, oldest first.' }),
})
export type WorkerView = Type.Static<typeof WorkerView>

const BATCHES = Type.Object(
  Object.fromEntries(
    namesOf(TRIGGERS).map((name) => [name, Type.Integer({ description: TRIGGERS[name].text })]),
  ) as Record<BatchTrigger, Type.TInteger>,
  { description: 'Stages that take batches: how many were processed, by what completed them.' },
)

export const StageView = Type.Object(
  {
    node: Type.String(),
    kind: Type.Enum(['source', 'transform', 'sink']),
    host: Type.Enum(['pool', 'embedder']),
    isPaused: Type.Optional(Type.Boolean({ description: 'Sources only.' })),
    rateLimit: Type.Union([Type.Number(), Type.Null()], {
      description: 'The rate limit in records per second; null if there is none.',
    }),
    batches: Type.Optional(BATCHES),
    isDetached: Type.Boolean({
      description: 'The stage crashed too often and runs without its handler: its records fail.',
    }),
    reasonsLost: Type.Optional(
      Type.Integer({
        description: 'Sources with `reasonBytes`: chunks whose reasons had no room.',
      }),
    ),
    inFlight: NODE_COUNT_FIELDS.inFlight,
    retried: NODE_COUNT_FIELDS.retried,
    crashed: NODE_COUNT_FIELDS.crashed,
    workers: Type.Array(WorkerView),
  },
  {
    examples: [
      {
        node: 'parse',
        kind: 'transform',
        host: 'pool',
        rateLimit: null,
        isDetached: false,
        inFlight: 64,
        retried: 0,
        crashed: 0,
        workers: [
          {
            worker: 0,
            state: 'running',
            epoch: 1,
            threadId: 12,
            inHand: 1,
            restarts: [{ epoch: 0, time: 1_790_000_000_000, counts: true, error: { name: 'RangeError' } }],
          },
        ],
      },
    ],
  },
)
export type StageView = Type.Static<typeof StageView>

export const StageList = Type.Object(
  { stages: Type.Array(StageView) },
  { examples: [{ stages: examplesOf(StageView) }] },
)
export type StageList = Type.Static<typeof StageList>

export function stages(room: Room): readonly Endpoint[] {
  const { showRecords } = room.options
  return [
    endpoint('GET /pipelines/:pipeline/stages', {
      tag: 'stages',
      summary: 'Lists all stages and their workers.',
      params: PIPELINE,
      answer: StageList,
      handle: ({ params }) => ({ stages: stageViews(runningOf(room, params.pipeline), showRecords) }),
    }),
    endpoint('GET /pipelines/:pipeline/stages/:node', {
      tag: 'stages',
      summary: 'Returns one stage and its workers.',
      params: NODE,
      answer: StageView,
      errors: ['NODE_UNKNOWN'],
      handle: ({ params }) => {
        const found = stageViews(runningOf(room, params.pipeline), showRecords).find(({ node }) => node === params.node)
        if (found === undefined) throw new MillraceError('NODE_UNKNOWN', { node: params.node })
        return found
      },
    }),
  ]
}

function stageViews({ pipeline, sampler }: Running, showRecords: boolean): StageView[] {
  const workers = pipeline.workers()
  const snapshot = sampler.now()
  return pipeline.plan.nodeStages.map(({ node, kind, host }) => {
    const { inFlight, retried, crashed, batches, reasonsLost } = snapshot.stages[node]!
    return {
      node,
      kind,
      host,
      ...(kind === 'source' ? { isPaused: pipeline.isPaused(node) } : {}),
      rateLimit: limitOf(pipeline.rateLimit(node)),
      ...(batches === undefined ? {} : { batches }),
      isDetached: pipeline.isDetached(node),
      ...(reasonsLost === undefined ? {} : { reasonsLost }),
      inFlight,
      retried,
      crashed,
      workers: workers.filter((worker) => worker.node === node).map((worker) => workerView(worker, showRecords)),
    }
  })
}

export function limitOf(perSecond: number): number | null {
  return Number.isFinite(perSecond) ? perSecond : null
}

function workerView(
  { worker, state, epoch, threadId, inHand, deaths }: WorkerStatus,
  showRecords: boolean,
): WorkerView {
  return {
    worker,
    state,
    epoch,
    ...(threadId === undefined ? {} : { threadId }),
    inHand,
    restarts: deaths.map((death) => deathView(death, showRecords)),
  }
}

function deathView({ epoch, atMs, counts, error }: Death, showRecords: boolean): Type.Static<typeof DeathView> {
  return { epoch, time: wallMsAt(atMs), counts, error: errorView(error, showRecords) }
}
