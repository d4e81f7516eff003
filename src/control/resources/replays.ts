import { Type } from 'typebox'
import { MillraceError } from '../../errors.ts'
import { capturedOf } from '../../trace/replay/captured.ts'
import type { TraceSource } from '../../trace/source.ts'
import { endpoint, PIPELINE, type Endpoint } from '../endpoint.ts'
import { type Room, runningOf } from '../room.ts'
import { PushedRecord, receiptView } from './receipts.ts'

export const RecordToReplay = Type.Object(
  {
    record: Type.String({ pattern: '^[0-9a-f]{16}(:[0-9]{1,10})?$', description: 'Id of the record.' }),
    node: Type.Optional(
      Type.String({
        description: 'The node that it enters. Default: the node of the first edge on which it was captured.',
      }),
    ),
    dry: Type.Optional(Type.Boolean({ description: 'Only says what would go where.' })),
    waitMs: Type.Optional(Type.Number({ minimum: 0, maximum: 30_000 })),
  },
  { additionalProperties: false, examples: [{ record: '6a624275771d7662', dry: true }] },
)
export type RecordToReplay = Type.Static<typeof RecordToReplay>

const ReplayAnswer = Type.Object(
  {
    node: Type.String(),
    record: Type.String(),
    content: Type.Optional(Type.String({ description: 'As it was captured: JSON. Only with `showRecords`.' })),
    pushed: Type.Optional(PushedRecord),
  },
  { examples: [{ node: 'parse', record: '6a624275771d7662' }] },
)

/** Puts captured records into the pipeline once more, before the node on the way to which they were captured. */
export function replays(room: Room, sourceOf: (name: string) => TraceSource): readonly Endpoint[] {
  return [
    endpoint('POST /pipelines/:pipeline/replay', {
      tag: 'trace',
      summary:
        'Puts a captured record, as it was redacted, into the pipeline again before its node. Requires the run option `inject`.',
      params: PIPELINE,
      body: RecordToReplay,
      answer: ReplayAnswer,
      errors: ['TRACE_UNKNOWN', 'TRACING_OFF', 'NODE_UNKNOWN', 'INJECT_OFF', 'PIPELINE_NOT_RUNNING', 'RECORDS_WAITING'],
      handle: async ({ params, body: { record, node, dry = false, waitMs = 0 } }) => {
        const { pipeline, receipts } = runningOf(room, params.pipeline)
        const found = await capturedOf(sourceOf(params.pipeline), record, { pipeline: pipeline.name, node })
        if (found === undefined)
          throw new MillraceError('TRACE_UNKNOWN', { record, ...(node !== undefined && { node }) })
        const { showRecords } = room.options
        const told = { node: found.node, record: found.record, ...(showRecords && { content: found.json }) }
        if (dry) return told
        const pushed = await receipts.push({ node: found.node, record: JSON.parse(found.json) as unknown }, waitMs)
        return { ...told, pushed: receiptView(pushed, showRecords) }
      },
    }),
  ]
}
