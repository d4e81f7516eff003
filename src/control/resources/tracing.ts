import { Type } from 'typebox'
import { MillraceError } from '../../errors.ts'
import type { Tracing } from '../../trace/tracing.ts'
import { endpoint, PIPELINE, type Endpoint } from '../endpoint.ts'
import { type Room, runningOf } from '../room.ts'

const Rate = Type.Number({ minimum: 0, maximum: 1, description: 'Share of the source chunks that are traced.' })
const Every = Type.Integer({
  minimum: 0,
  maximum: 2_147_483_647,
  description: 'Also trace one in this number of chunks of each source worker; 0: none.',
})

export const TracingBody = Type.Object(
  { rate: Type.Optional(Rate), every: Type.Optional(Every) },
  { additionalProperties: false, examples: [{ rate: 0.05 }] },
)
export type TracingBody = Type.Static<typeof TracingBody>

const Sink = Type.Object({
  name: Type.String(),
  written: Type.Integer(),
  waiting: Type.Integer(),
  droppedFull: Type.Integer({ description: 'Its queue was full.' }),
  droppedByError: Type.Integer({ description: 'It could not write them.' }),
  lastError: Type.Optional(Type.String({ description: 'Only with `showRecords`.' })),
})

export const TracingAnswer = Type.Object(
  {
    rate: Rate,
    every: Every,
    run: Type.String({ description: 'The run that the events belong to.' }),
    isStored: Type.Boolean({
      description: 'Events are kept in a store. If false, only the last ones are kept in memory.',
    }),
    tracer: Type.Object({
      read: Type.Integer({ description: 'Events read from the rings.' }),
      readPerSecond: Type.Number(),
      bytes: Type.Number(),
      dropped: Type.Integer({ description: 'Events that had no room in their ring.' }),
      truncated: Type.Integer({ description: 'Events with parts that had no room.' }),
      threw: Type.Integer({ description: 'Calls of `trace` predicates that threw.' }),
      refused: Type.Integer({ description: 'Attributes that were refused, and calls of `redact` that threw.' }),
      held: Type.Integer(),
      forgotten: Type.Integer(),
      droppedHeld: Type.Integer(),
      lagMs: Type.Number(),
      fill: Type.Number({ minimum: 0, maximum: 1, description: 'Largest share of a ring that is used.' }),
      pressure: Type.Integer({
        description: 'How often the share of traced chunks is halved, because rings fill up.',
      }),
      deaths: Type.Integer(),
      sinks: Type.Array(Sink),
    }),
  },
  {
    examples: [
      {
        rate: 0.05,
        every: 0,
        run: '00000000000000a1',
        isStored: true,
        tracer: {
          read: 4_000,
          readPerSecond: 200,
          bytes: 512_000,
          dropped: 0,
          truncated: 0,
          threw: 0,
          refused: 0,
          held: 0,
          forgotten: 0,
          droppedHeld: 0,
          lagMs: 4,
          fill: 0.01,
          pressure: 0,
          deaths: 0,
          sinks: [{ name: 'store', written: 4_000, waiting: 0, droppedFull: 0, droppedByError: 0 }],
        },
      },
    ],
  },
)
export type TracingAnswer = Type.Static<typeof TracingAnswer>

/** What is traced, and what the tracer says of itself. */
export function tracing(room: Room): readonly Endpoint[] {
  const about = { tag: 'trace', params: PIPELINE, answer: TracingAnswer, errors: ['TRACING_OFF'] } as const
  return [
    endpoint('GET /pipelines/:pipeline/tracing', {
      ...about,
      summary: 'Returns what is traced, and the figures of the tracer.',
      handle: ({ params }) => answer(room, tracingOf(room, params.pipeline)),
    }),
    endpoint('PUT /pipelines/:pipeline/tracing', {
      ...about,
      summary: 'Changes what is traced, from the next chunks on.',
      body: TracingBody,
      handle: ({ params, body }) => {
        const found = tracingOf(room, params.pipeline)
        found.set(body)
        return answer(room, found)
      },
    }),
  ]
}

async function answer({ options }: Room, found: Tracing): Promise<TracingAnswer> {
  const { sinks, ...tracer } = await found.metrics()
  return {
    ...found.rates,
    run: found.id,
    isStored: found.store !== undefined,
    tracer: {
      ...tracer,
      sinks: sinks.map(({ lastError, ...sink }) =>
        options.showRecords && lastError !== undefined ? { ...sink, lastError } : sink,
      ),
    },
  }
}

/** @throws PIPELINE_UNKNOWN, PIPELINE_STARTING, TRACING_OFF */
function tracingOf(room: Room, pipeline: string): Tracing {
  const { tracing: found } = runningOf(room, pipeline).pipeline
  if (found === undefined) throw new MillraceError('TRACING_OFF', { pipeline })
  return found
}
