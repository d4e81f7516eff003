import { Type } from 'typebox'
import { endpoint, PIPELINE, type Endpoint } from '../endpoint.ts'
import { type Room, runningOf } from '../room.ts'
import type { Plan } from '../../plan/types.ts'

const PlannedStage = Type.Object({
  node: Type.String(),
  kind: Type.String(),
  work: Type.String(),
  host: Type.Enum(['pool', 'embedder'], {
    description: '`pool`: separate threads. `embedder`: the thread that called `run`.',
  }),
  workers: Type.Integer(),
  runs: Type.Array(Type.String(), {
    description: 'All nodes that its workers run, including fused nodes and conditionals.',
  }),
  maxInFlight: Type.Optional(Type.Integer()),
  batch: Type.Optional(Type.Object({ size: Type.Integer(), timeoutMs: Type.Number(), keyed: Type.Boolean() })),
  window: Type.Optional(Type.Integer({ description: 'Sources only: records that each worker may have in flight.' })),
  slots: Type.Optional(Type.Integer({ description: 'Sources only: chunks that each worker may have in flight.' })),
  restart: Type.Object({
    maxRestarts: Type.Integer(),
    withinMs: Type.Number(),
    backoffMs: Type.Number(),
    maxBackoffMs: Type.Number(),
  }),
})

const PlannedLink = Type.Object({
  from: Type.String(),
  to: Type.String(),
  edges: Type.Array(Type.Integer(), { description: 'Indexes into the edges of the graph.' }),
  pathType: Type.String(),
  dispatch: Type.String(),
  whenFull: Type.String(),
  lanes: Type.Integer(),
  capacity: Type.Number({ description: 'Maximum number of records on each lane.' }),
  ringBytes: Type.Integer({ description: 'Size of each ring.' }),
  narrowedFrom: Type.Optional(
    Type.Integer({
      description: 'Size that each ring would have with fewer lanes. Absent if the rings were not made smaller.',
    }),
  ),
})

export const PlanAnswer = Type.Object(
  {
    memoryBytes: Type.Integer({ description: 'Shared memory, allocated at start.' }),
    ringBytes: Type.Integer({ description: 'Part of it used by the rings of all lanes.' }),
    reservedBytes: Type.Integer({
      description: 'Address space reserved for records larger than a lane; used only if there are any.',
    }),
    maxRecordBytes: Type.Integer(),
    stages: Type.Array(PlannedStage),
    links: Type.Array(PlannedLink),
  },
  {
    examples: [
      {
        memoryBytes: 3_145_728,
        ringBytes: 524_288,
        reservedBytes: 134_217_728,
        maxRecordBytes: 67_108_864,
        stages: [
          {
            node: 'sensors',
            kind: 'source',
            work: 'produce',
            host: 'pool',
            workers: 1,
            runs: ['sensors'],
            window: 65_536,
            slots: 4_096,
            restart: { maxRestarts: 5, withinMs: 30_000, backoffMs: 10, maxBackoffMs: 5_000 },
          },
        ],
        links: [
          {
            from: 'sensors',
            to: 'store',
            edges: [0],
            pathType: 'normal',
            dispatch: 'demand',
            whenFull: 'block',
            lanes: 2,
            capacity: 8_192,
            ringBytes: 524_288,
          },
        ],
      },
    ],
  },
)
export type PlanAnswer = Type.Static<typeof PlanAnswer>

export function plan(room: Room): readonly Endpoint[] {
  return [
    endpoint('GET /pipelines/:pipeline/plan', {
      tag: 'graph',
      summary: 'Returns the plan: stages, lanes and memory.',
      params: PIPELINE,
      answer: PlanAnswer,
      handle: ({ params }) => planView(runningOf(room, params.pipeline).pipeline.plan),
    }),
  ]
}

function planView({ stages, nodeStages, links, memoryBytes, reservedBytes, maxRecordBytes }: Plan): PlanAnswer {
  const shown = links.filter(({ from }) => stages[from]!.role === 'node')
  return {
    memoryBytes,
    ringBytes: links.flatMap(({ lanes }) => lanes.flat()).reduce((sum, { ringBytes }) => sum + ringBytes, 0),
    reservedBytes,
    maxRecordBytes,
    stages: nodeStages.map(({ node, kind, work, host, concurrency, nodes, input, source, restart }) => ({
      node,
      kind,
      work,
      host,
      workers: concurrency,
      runs: nodes.map((each) => each.node),
      ...(input === undefined ? {} : { maxInFlight: input.maxInFlight }),
      ...(input?.batch === undefined ? {} : { batch: input.batch }),
      ...(source === undefined ? {} : { window: source.window, slots: source.slots }),
      restart,
    })),
    links: shown.map(({ from, to, edges, pathType, dispatch, whenFull, lanes, capacity, narrowedFrom }) => ({
      from: stages[from]!.node,
      to: stages[to]!.node,
      edges: [...edges],
      pathType,
      dispatch,
      whenFull,
      lanes: lanes.flat().length,
      capacity,
      ringBytes: lanes[0]?.[0]?.ringBytes ?? 0,
      ...(narrowedFrom === undefined ? {} : { narrowedFrom }),
    })),
  }
}
