import { Type } from 'typebox'
import { endpoint, examplesOf, PIPELINE, type Endpoint } from '../endpoint.ts'
import { ErrorView, errorView } from '../error-view.ts'
import { type Room, watchedOf } from '../room.ts'
import { STATES, type Watched } from '../watched.ts'

export const PipelineSummary = Type.Object(
  {
    name: Type.String(),
    state: Type.Enum([...STATES], {
      description: 'Current state; after the end, the outcome.',
    }),
    isPaused: Type.Boolean({ description: 'All sources are paused.' }),
    elapsedMs: Type.Number({ description: 'Milliseconds since the pipeline started running.' }),
    stages: Type.Integer(),
    workers: Type.Integer(),
    memoryBytes: Type.Integer({ description: 'Shared memory, allocated at start.' }),
    inFlight: Type.Integer({ description: 'Source records in flight.' }),
    acked: Type.Integer({ description: 'Source records that were acked.' }),
    failed: Type.Integer({ description: 'Source records that were nacked.' }),
    deadLetters: Type.Integer({ description: 'Records that failed since the start, kept or not.' }),
    error: Type.Optional(ErrorView),
  },
  {
    examples: [
      {
        name: 'iot',
        state: 'running',
        isPaused: false,
        elapsedMs: 60_214,
        stages: 4,
        workers: 7,
        memoryBytes: 12_582_912,
        inFlight: 812,
        acked: 598_112,
        failed: 0,
        deadLetters: 3,
      },
    ],
  },
)
export type PipelineSummary = Type.Static<typeof PipelineSummary>

export const PipelineList = Type.Object(
  { pipelines: Type.Array(PipelineSummary) },
  { examples: [{ pipelines: examplesOf(PipelineSummary) }] },
)
export type PipelineList = Type.Static<typeof PipelineList>

export function pipelineList(room: Room): readonly Endpoint[] {
  const { showRecords } = room.options
  return [
    endpoint('GET /pipelines', {
      tag: 'pipelines',
      summary: 'Lists all pipelines.',
      answer: PipelineList,
      handle: () => ({ pipelines: [...room.pipelines.values()].map((watched) => summaryOf(watched, showRecords)) }),
    }),
    endpoint('GET /pipelines/:pipeline', {
      tag: 'pipelines',
      summary: 'Returns one pipeline.',
      params: PIPELINE,
      answer: PipelineSummary,
      handle: ({ params }) => summaryOf(watchedOf(room, params.pipeline), showRecords),
    }),
  ]
}

export function summaryOf(watched: Watched, showRecords: boolean): PipelineSummary {
  const { name, state, failure, pipeline } = watched
  const error = failure === undefined ? {} : { error: errorView(failure, showRecords) }
  if (pipeline === undefined) {
    const nothing = { stages: 0, workers: 0, memoryBytes: 0, inFlight: 0, acked: 0, failed: 0, deadLetters: 0 }
    return { name, state, isPaused: false, elapsedMs: 0, ...nothing, ...error }
  }
  const { plan } = pipeline
  const { elapsedMs, stages } = watched.running.sampler.now()
  const sources = Object.values(stages).filter(({ kind }) => kind === 'source')
  const sum = (of: (source: (typeof sources)[number]) => number): number =>
    sources.reduce((total, source) => total + of(source), 0)
  return {
    name,
    state,
    isPaused: pipeline.isPaused(),
    elapsedMs,
    stages: Object.keys(stages).length,
    workers: Object.values(stages).reduce((total, { workers }) => total + workers.length, 0),
    memoryBytes: plan.memoryBytes,
    inFlight: sum(({ inFlight }) => inFlight),
    acked: sum(({ done }) => done),
    failed: sum(({ failed }) => failed),
    deadLetters: pipeline.deadLetters.total,
    ...error,
  }
}
