import { Type } from 'typebox'
import { MillraceError } from '../../errors.ts'
import { endpoint, NODE, PIPELINE, WORKER, type Endpoint } from '../endpoint.ts'
import { LOG_LEVELS } from '../log.ts'
import { type Room, runningOf, watchedOf } from '../room.ts'
import { STATES, type Running } from '../watched.ts'
import { limitOf } from './stages.ts'

export const ActAnswer = Type.Object(
  {
    state: Type.Enum([...STATES]),
    isPaused: Type.Boolean({ description: 'Every source is paused.' }),
  },
  { examples: [{ state: 'running', isPaused: true }] },
)
export type ActAnswer = Type.Static<typeof ActAnswer>

export const RateLimit = Type.Object(
  {
    perSecond: Type.Union([Type.Number({ exclusiveMinimum: 0, maximum: 1e12 }), Type.Null()], {
      description: 'Records per second of all workers of the source together; null: no limit.',
    }),
  },
  { additionalProperties: false, examples: [{ perSecond: 500 }] },
)
export type RateLimit = Type.Static<typeof RateLimit>

export const WorkerAct = Type.Object(
  {
    epoch: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'The life that is to end: where it has already ended, nothing is done.',
      }),
    ),
  },
  { additionalProperties: false, examples: [{ epoch: 0 }] },
)
export type WorkerAct = Type.Static<typeof WorkerAct>

export const WorkerActAnswer = Type.Object(
  { done: Type.Boolean({ description: 'False: that life had already ended.' }), epoch: Type.Integer() },
  { examples: [{ done: true, epoch: 0 }] },
)
export type WorkerActAnswer = Type.Static<typeof WorkerActAnswer>

export const LogLevelBody = Type.Object(
  { level: Type.Enum([...LOG_LEVELS]) },
  { additionalProperties: false, examples: [{ level: 'debug' }] },
)
export type LogLevelBody = Type.Static<typeof LogLevelBody>

const Deadline = Type.Object(
  {
    deadlineMs: Type.Optional(
      Type.Number({ minimum: 0, maximum: 86_400_000, description: 'Default: the pipeline’s own `deadlineMs`.' }),
    ),
  },
  { additionalProperties: false, examples: [{ deadlineMs: 10_000 }] },
)

export function acts(room: Room): readonly Endpoint[] {
  return [...flow(room), ...ends(room), ...workerActs(room), ...logLevel(room)]
}

/** Pause, resume, rate limits: what sources may make. */
function flow(room: Room): readonly Endpoint[] {
  const errors = ['PIPELINE_NOT_RUNNING'] as const
  const sourceErrors = [...errors, 'NODE_UNKNOWN', 'NODE_NOT_SOURCE'] as const
  const change = (name: 'pause' | 'resume'): readonly Endpoint[] => [
    endpoint(`POST /pipelines/:pipeline/${name}`, {
      tag: 'acts',
      summary: name === 'pause' ? 'All sources make no records until they are resumed.' : 'All sources go on.',
      params: PIPELINE,
      answer: ActAnswer,
      errors,
      handle: ({ params }) => {
        live(runningOf(room, params.pipeline))[name]()
        return answer(room, params.pipeline)
      },
    }),
    endpoint(`POST /pipelines/:pipeline/sources/:node/${name}`, {
      tag: 'acts',
      summary: name === 'pause' ? 'A source makes no records until it is resumed.' : 'A source goes on.',
      params: NODE,
      answer: ActAnswer,
      errors: sourceErrors,
      handle: ({ params }) => {
        live(runningOf(room, params.pipeline))[name](params.node)
        return answer(room, params.pipeline)
      },
    }),
  ]
  return [
    ...change('pause'),
    ...change('resume'),
    endpoint('PUT /pipelines/:pipeline/sources/:node/rate-limit', {
      tag: 'acts',
      summary: 'Changes the rate limit of a source at once.',
      params: NODE,
      body: RateLimit,
      answer: RateLimit,
      errors: sourceErrors,
      handle: ({ params, body }) => {
        const pipeline = live(runningOf(room, params.pipeline))
        pipeline.setRateLimit(params.node, body.perSecond ?? Infinity)
        return { perSecond: limitOf(pipeline.rateLimit(params.node)) }
      },
    }),
    endpoint('DELETE /pipelines/:pipeline/sources/:node/rate-limit', {
      tag: 'acts',
      summary: 'Gives a source the rate limit that was planned.',
      params: NODE,
      answer: RateLimit,
      errors: sourceErrors,
      handle: ({ params }) => {
        const pipeline = live(runningOf(room, params.pipeline))
        pipeline.setRateLimit(params.node, undefined)
        return { perSecond: limitOf(pipeline.rateLimit(params.node)) }
      },
    }),
  ]
}

/** Drain and stop: asked for twice, or after the end, they change nothing. */
function ends(room: Room): readonly Endpoint[] {
  const end = (name: 'drain' | 'stop', summary: string): Endpoint =>
    endpoint(`POST /pipelines/:pipeline/${name}`, {
      tag: 'acts',
      summary,
      params: PIPELINE,
      body: Deadline,
      answer: ActAnswer,
      status: 202,
      handle: ({ params, body }) => {
        const { pipeline } = runningOf(room, params.pipeline)
        // How it ends is told by its events and its state.
        pipeline[name](body).catch(() => undefined)
        return answer(room, params.pipeline)
      },
    })
  return [
    end('drain', 'Sources make no more records; the pipeline ends when all of theirs have.'),
    end('stop', 'Ends now: what is in hand is handed off, what is left is nacked.'),
  ]
}

function workerActs(room: Room): readonly Endpoint[] {
  const act = (name: 'restart' | 'kill', summary: string): Endpoint =>
    endpoint(`POST /pipelines/:pipeline/stages/:node/workers/:worker/${name}`, {
      tag: 'acts',
      summary,
      params: WORKER,
      body: WorkerAct,
      answer: WorkerActAnswer,
      status: 202,
      errors: ['NODE_UNKNOWN', 'WORKER_UNKNOWN', 'PIPELINE_NOT_RUNNING'],
      handle: async ({ params: { pipeline: name_, node, worker }, body }) => {
        const pipeline = live(runningOf(room, name_))
        if (!pipeline.plan.stages.some((stage) => stage.node === node && !stage.isHidden)) {
          throw new MillraceError('NODE_UNKNOWN', { node })
        }
        const found = pipeline.workers().find((each) => each.node === node && each.worker === worker)
        if (found === undefined || found.host !== 'pool') throw new MillraceError('WORKER_UNKNOWN', { node, worker })
        const { epoch } = found
        if ((body.epoch !== undefined && body.epoch !== epoch) || found.threadId === undefined) {
          return { done: false, epoch }
        }
        if (name === 'restart') await pipeline.restartWorker(node, worker)
        else await pipeline.killWorker(node, worker)
        return { done: true, epoch }
      },
    })
  return [
    act('restart', 'Ends a worker’s thread; its successor goes on. The restarts of the stage are not charged.'),
    act('kill', 'Ends a worker’s thread as a crash would: it counts against the restarts of the stage.'),
  ]
}

function logLevel(room: Room): readonly Endpoint[] {
  return [
    endpoint('GET /log-level', {
      tag: 'acts',
      summary: 'From which level on acts and events are logged.',
      answer: LogLevelBody,
      handle: () => ({ level: room.log.level }),
    }),
    endpoint('PUT /log-level', {
      tag: 'acts',
      summary: 'Changes from which level on acts and events are logged.',
      body: LogLevelBody,
      answer: LogLevelBody,
      handle: ({ body }) => {
        room.log.level = body.level
        return { level: room.log.level }
      },
    }),
  ]
}

/** @throws PIPELINE_NOT_RUNNING where it is on its way to its end, or there */
function live({ pipeline }: Running): Running['pipeline'] {
  if (pipeline.state === 'running' || pipeline.state === 'draining') return pipeline
  throw new MillraceError('PIPELINE_NOT_RUNNING', { pipeline: pipeline.name, state: pipeline.state })
}

function answer(room: Room, name: string): ActAnswer {
  const watched = watchedOf(room, name)
  return { state: watched.state, isPaused: watched.running.pipeline.isPaused() }
}
