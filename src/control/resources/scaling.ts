import { Type } from 'typebox'
import { SCALE_REASONS } from '../../analysis/live/scale/decide.ts'
import { namesOf } from '../../figures.ts'
import type { ScaleStatus } from '../../supervisor/scale/scaler.ts'
import { endpoint, examplesOf, PIPELINE, type Endpoint } from '../endpoint.ts'
import { type Room, runningOf } from '../room.ts'

export const ScaleView = Type.Object(
  {
    node: Type.String(),
    min: Type.Integer(),
    max: Type.Integer(),
    target: Type.Number({ description: 'Share of their time that workers should be busy.' }),
    workers: Type.Integer({ description: 'Workers that it has.' }),
    wanted: Type.Optional(Type.Integer({ description: 'Workers that it needs; absent without measurements.' })),
    load: Type.Optional(
      Type.Number({
        description: 'Work for its workers, divided by what they can do. Above 1 they cannot keep up.',
      }),
    ),
    reason: Type.Enum([...namesOf(SCALE_REASONS), 'unknown']),
    text: Type.String({ description: 'The reason, in words.' }),
  },
  {
    description: 'A stage whose workers follow its load, at the last look.',
    examples: [
      {
        node: 'parse',
        min: 1,
        max: 4,
        target: 0.7,
        workers: 2,
        wanted: 2,
        load: 0.61,
        reason: 'fits',
        text: SCALE_REASONS.fits,
      },
    ],
  },
)
export type ScaleView = Type.Static<typeof ScaleView>

export const ScalingAnswer = Type.Object(
  { stages: Type.Array(ScaleView, { description: 'The stages with `scale`.' }) },
  { examples: [{ stages: examplesOf(ScaleView) }] },
)
export type ScalingAnswer = Type.Static<typeof ScalingAnswer>

export function scaling(room: Room): readonly Endpoint[] {
  return [
    endpoint('GET /pipelines/:pipeline/scaling', {
      tag: 'stages',
      summary: 'Lists the stages whose workers follow their load, and the last decisions.',
      params: PIPELINE,
      answer: ScalingAnswer,
      handle: ({ params }) => ({ stages: runningOf(room, params.pipeline).pipeline.scaling().map(scaleView) }),
    }),
  ]
}

/** Figures that are not known are left out; one without an end is as large as JSON can say. */
export function scaleView({ wanted, load, ...rest }: ScaleStatus): ScaleView {
  return {
    ...rest,
    ...(wanted === undefined ? {} : { wanted }),
    ...(load === undefined ? {} : { load: Math.min(Number.MAX_VALUE, load) }),
  }
}
