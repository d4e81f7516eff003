import { Type } from 'typebox'
import { MillraceError } from '../../errors.ts'
import { DRAIN_OPTIONS } from '../../options/index.ts'
import { endpoint, NODE, PIPELINE, WORKER, type Endpoint } from '../endpoint.ts'
import { LOG_LEVELS } from '../log.ts'
import { type Room, runningOf, watchedOf } from '../room.ts'
import { STATES, type Running } from '../watched.ts'
import { limitOf } from './stages.ts'

export const CommandAnswer = Type.Object(
  {
    state: Type.Enum([...STATES]),
    isPaused: Type.Boolean({ description: 'All sources are paused.' }),
  },
  { examples: [{ state: 'running', isPaused: true }] },
)
export type CommandAnswer = Type.Static<typeof CommandAnswer>

export const RateLimit = Type.Object(
  {
    perSecond: Type.Union([Type.Number({ exclusiveMinimum: 0, maximum: 1e12 }), Type.Null()], {
      description:
        'Records per second, for all workers of the stage together (with `rateLimit.by`: for each key); null removes the limit.',
    }),
  },
  { additionalProperties: false, examples: [{ perSecond: 500 }] },
)
export type RateLimit = Type.Static<typeof RateLimit>

const Resize = Type.Object(
  { workers: Type.Integer({ minimum: 1, maximum: 256, description: 'Number of workers, up to `maxConcurrency`.' }) },
  { additionalProperties: false, examples: [{ workers: 3 }] },
)

export const WorkerCommand = Type.Object(
  {
    epoch: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Epoch of the worker to end. If the worker has been restarted since, nothing happens.',
      }),
    ),
  },
  { additionalProperties: false, examples: [{ epoch: 0 }] },
)
export type WorkerCommand = Type.Static<typeof WorkerCommand>

export const WorkerCommandAnswer = Type.Object(
  { done: Type.Boolean({ description: 'False if that epoch had already ended.' }), epoch: Type.Integer() },
  { examples: [{ done: true, epoch: 0 }] },
)
export type WorkerCommandAnswer = Type.Static<typeof WorkerCommandAnswer>

export const LogLevelBody = Type.Object(
  { level: Type.Enum([...LOG_LEVELS]) },
  { additionalProperties: false, examples: [{ level: 'debug' }] },
)
export type LogLevelBody = Type.Static<typeof LogLevelBody>

const Deadline = Type.Object(
  {
    deadlineMs: Type.Optional(
      Type.Number({ minimum: 0, maximum: 86_400_000, description: 'Default: `deadlineMs` of the pipeline.' }),
    ),
  },
  { additionalProperties: false, examples: [{ deadlineMs: 10_000 }] },
)

const Drain = Type.Object(
  {
    ...Deadline.properties,
    limits: Type.Optional(
      Type.Enum([...DRAIN_OPTIONS.limits.values], {
        description: 'Whether rate limits still apply to the remaining records. Default: `keep`.',
      }),
    ),
  },
  { additionalProperties: false, examples: [{ limits: 'lift' }] },
)

export function commands(room: Room): readonly Endpoint[] {
  return [...flow(room), ...ends(room), resizing(room), attaching(room), ...workerCommands(room), ...logLevel(room)]
}

/** Pause, resume, rate limits: what sources may make, and stages may work on. */
function flow(room: Room): readonly Endpoint[] {
  const errors = ['PIPELINE_NOT_RUNNING'] as const
  const stageErrors = [...errors, 'NODE_UNKNOWN'] as const
  const sourceErrors = [...stageErrors, 'NODE_NOT_SOURCE'] as const
  const change = (name: 'pause' | 'resume'): readonly Endpoint[] => [
    endpoint(`POST /pipelines/:pipeline/${name}`, {
      tag: 'commands',
      summary: name === 'pause' ? 'Pauses all sources.' : 'Resumes all sources.',
      params: PIPELINE,
      answer: CommandAnswer,
      errors,
      handle: ({ params }) => {
        live(runningOf(room, params.pipeline))[name]()
        return commandAnswer(room, params.pipeline)
      },
    }),
    endpoint(`POST /pipelines/:pipeline/sources/:node/${name}`, {
      tag: 'commands',
      summary: name === 'pause' ? 'Pauses a source.' : 'Resumes a source.',
      params: NODE,
      answer: CommandAnswer,
      errors: sourceErrors,
      handle: ({ params }) => {
        live(runningOf(room, params.pipeline))[name](params.node)
        return commandAnswer(room, params.pipeline)
      },
    }),
  ]
  return [
    ...change('pause'),
    ...change('resume'),
    endpoint('PUT /pipelines/:pipeline/stages/:node/rate-limit', {
      tag: 'commands',
      summary: 'Changes the rate limit of a stage.',
      params: NODE,
      body: RateLimit,
      answer: RateLimit,
      errors: stageErrors,
      handle: ({ params, body }) => {
        const pipeline = live(runningOf(room, params.pipeline))
        pipeline.setRateLimit(params.node, body.perSecond ?? Infinity)
        return { perSecond: limitOf(pipeline.rateLimit(params.node)) }
      },
    }),
    endpoint('DELETE /pipelines/:pipeline/stages/:node/rate-limit', {
      tag: 'commands',
      summary: 'Resets the rate limit of a stage to the one in the graph.',
      params: NODE,
      answer: RateLimit,
      errors: stageErrors,
      handle: ({ params }) => {
        const pipeline = live(runningOf(room, params.pipeline))
        pipeline.setRateLimit(params.node, undefined)
        return { perSecond: limitOf(pipeline.rateLimit(params.node)) }
      },
    }),
  ]
}

/** Flush; drain and stop: asked for twice, or after the end, these change nothing. */
function ends(room: Room): readonly Endpoint[] {
  const end = (name: 'drain' | 'stop', summary: string): Endpoint =>
    endpoint(`POST /pipelines/:pipeline/${name}`, {
      tag: 'commands',
      summary,
      params: PIPELINE,
      body: name === 'drain' ? Drain : Deadline,
      answer: CommandAnswer,
      status: 202,
      handle: ({ params, body }) => {
        const { pipeline } = runningOf(room, params.pipeline)
        // How it ends is told by its events and its state.
        pipeline[name](body).catch(() => undefined)
        return commandAnswer(room, params.pipeline)
      },
    })
  return [
    endpoint('POST /pipelines/:pipeline/flush', {
      tag: 'commands',
      summary: 'Completes open batches. Answers when all records that the sources sent before have ended.',
      params: PIPELINE,
      answer: CommandAnswer,
      errors: ['PIPELINE_NOT_RUNNING'],
      handle: async ({ params }) => {
        await live(runningOf(room, params.pipeline)).flush()
        return commandAnswer(room, params.pipeline)
      },
    }),
    end('drain', 'Drains the pipeline: sources make no more records, and it ends when all records have ended.'),
    end('stop', 'Stops the pipeline now. Records still in flight are nacked.'),
  ]
}

/** Answers once the stage has so many workers. */
function resizing(room: Room): Endpoint {
  return endpoint('POST /pipelines/:pipeline/stages/:node/resize', {
    tag: 'commands',
    summary: 'Changes the number of workers of a stage. Answers when the change is complete.',
    params: NODE,
    body: Resize,
    answer: Resize,
    errors: ['NODE_UNKNOWN', 'RESIZE_REFUSED', 'START_FAILED', 'START_TIMEOUT', 'PIPELINE_NOT_RUNNING'],
    handle: async ({ params, body }) => {
      await live(runningOf(room, params.pipeline)).resize(params.node, body.workers)
      return body
    },
  })
}

/** Answers once the new workers of the stage are on their way. */
function attaching(room: Room): Endpoint {
  return endpoint('POST /pipelines/:pipeline/stages/:node/attach', {
    tag: 'commands',
    summary: 'Lets a stage work again that crashed too often and is detached.',
    params: NODE,
    answer: CommandAnswer,
    errors: ['NODE_UNKNOWN', 'PIPELINE_NOT_RUNNING'],
    handle: async ({ params }) => {
      await live(runningOf(room, params.pipeline)).attach(params.node)
      return commandAnswer(room, params.pipeline)
    },
  })
}

function workerCommands(room: Room): readonly Endpoint[] {
  const command = (name: 'restart' | 'kill', summary: string): Endpoint =>
    endpoint(`POST /pipelines/:pipeline/stages/:node/workers/:worker/${name}`, {
      tag: 'commands',
      summary,
      params: WORKER,
      body: WorkerCommand,
      answer: WorkerCommandAnswer,
      status: 202,
      errors: ['NODE_UNKNOWN', 'WORKER_UNKNOWN', 'PIPELINE_NOT_RUNNING'],
      handle: async ({ params: { pipeline: name_, node, worker }, body }) => {
        const pipeline = live(runningOf(room, name_))
        if (!pipeline.plan.nodeStages.some((stage) => stage.node === node)) {
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
    command('restart', 'Restarts a worker. Does not count against the restart limit of the stage.'),
    command('kill', 'Ends a worker as a crash would. Counts against the restart limit of the stage.'),
  ]
}

function logLevel(room: Room): readonly Endpoint[] {
  return [
    endpoint('GET /log-level', {
      tag: 'commands',
      summary: 'Returns the level from which commands and events are logged.',
      answer: LogLevelBody,
      handle: () => ({ level: room.log.level }),
    }),
    endpoint('PUT /log-level', {
      tag: 'commands',
      summary: 'Changes the level from which commands and events are logged.',
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

export function commandAnswer(room: Room, name: string): CommandAnswer {
  const watched = watchedOf(room, name)
  return { state: watched.state, isPaused: watched.running.pipeline.isPaused() }
}
