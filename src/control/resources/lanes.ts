import { Type } from 'typebox'
import { measurements } from '../../telemetry/measurements.ts'
import { endpoint, PIPELINE, type Endpoint } from '../endpoint.ts'
import { type Room, runningOf } from '../room.ts'
import type { Running } from '../watched.ts'

const End = Type.Object({ node: Type.String(), worker: Type.Integer() })

export const LaneView = Type.Object({
  from: End,
  to: End,
  edges: Type.Array(Type.Integer(), {
    description: 'The edges that the lane carries, as indexes into the edges of the graph.',
  }),
  queued: Type.Integer({ description: 'Records on the lane.' }),
  capacity: Type.Number({ description: 'Maximum number of records on the lane.' }),
  credit: Type.Integer({ description: 'Records that the writer may send before it gets more credit.' }),
  fill: Type.Number({
    minimum: 0,
    description: 'Fill level from 0 to 1, by records or by bytes, whichever is higher.',
  }),
  usedBytes: Type.Integer(),
  ringBytes: Type.Integer(),
  isWanted: Type.Boolean({ description: 'The writer is waiting for credit or room on this lane.' }),
  blockedShare: Type.Number({
    minimum: 0,
    maximum: 1,
    description:
      'Share of the writing stage’s time, over the last ten seconds, spent waiting for credit on these edges.',
  }),
})
export type LaneView = Type.Static<typeof LaneView>

export const LaneList = Type.Object(
  { lanes: Type.Array(LaneView) },
  {
    examples: [
      {
        lanes: [
          {
            from: { node: 'sensors', worker: 0 },
            to: { node: 'parse', worker: 1 },
            edges: [0],
            queued: 4_001,
            capacity: 8_192,
            credit: 95,
            fill: 0.977,
            usedBytes: 128_032,
            ringBytes: 524_288,
            isWanted: true,
            blockedShare: 0.71,
          },
        ],
      },
    ],
  },
)
export type LaneList = Type.Static<typeof LaneList>

const BLOCKED_S = 10

export function lanes(room: Room): readonly Endpoint[] {
  return [
    endpoint('GET /pipelines/:pipeline/lanes', {
      tag: 'figures',
      summary: 'Lists all lanes with their fill level and credit, and which writers are waiting.',
      params: PIPELINE,
      answer: LaneList,
      handle: ({ params }) => ({ lanes: laneViews(runningOf(room, params.pipeline)) }),
    }),
  ]
}

function laneViews({ pipeline, sampler }: Running): LaneView[] {
  const { plan } = pipeline
  const now = sampler.now()
  const { edges } = measurements(plan, now, sampler.before(now, BLOCKED_S))
  const end = (worker: number): LaneView['from'] => {
    const { stage, ordinal } = plan.workers[worker]!
    return { node: plan.stages[stage]!.node, worker: ordinal }
  }
  return now.lanes
    .filter(({ from }) => plan.stages[plan.workers[from]!.stage]!.role === 'node')
    .map(({ link, from, to, queued, capacity, credit, usedBytes, ringBytes, isWanted }) => {
      const path = plan.links[link]!.edges
      return {
        from: end(from),
        to: end(to),
        edges: [...path],
        queued,
        capacity,
        credit,
        fill: Math.max(queued / capacity, usedBytes / ringBytes),
        usedBytes,
        ringBytes,
        isWanted,
        blockedShare: edges[path[0]!]?.blockedShare ?? 0,
      }
    })
}
