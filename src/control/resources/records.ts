import { Type } from 'typebox'
import { endpoint, PIPELINE, type Endpoint } from '../endpoint.ts'
import { PushedRecord, receiptView } from './receipts.ts'
import { type Room, runningOf } from '../room.ts'

export const RecordToPush = Type.Object(
  {
    node: Type.String({
      description: 'A source with `push: true`. With `inject`, also any transform or sink.',
    }),
    record: Type.Unknown({ description: 'The record, as its handler expects it.' }),
    key: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description:
          'Idempotency key: a record pushed again with the same key goes in once. The same key with another record or node is refused.',
      }),
    ),
    waitMs: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 30_000,
        description: 'How long to wait for the record to end before answering. Default: 0.',
      }),
    ),
  },
  {
    additionalProperties: false,
    examples: [{ node: 'parse', record: { sensor: 's-1', value: 20.5 }, key: 'test-1', waitMs: 5_000 }],
  },
)
export type RecordToPush = Type.Static<typeof RecordToPush>

export function records(room: Room): readonly Endpoint[] {
  const { showRecords } = room.options
  return [
    endpoint('POST /pipelines/:pipeline/records', {
      tag: 'commands',
      summary: 'Pushes one record into the pipeline. A header `traceparent` is continued by its trace.',
      params: PIPELINE,
      body: RecordToPush,
      answer: PushedRecord,
      status: 202,
      errors: [
        'NODE_UNKNOWN',
        'NODE_NOT_PUSHED',
        'INJECT_OFF',
        'PIPELINE_NOT_RUNNING',
        'KEY_REUSED',
        'RECORDS_WAITING',
      ],
      handle: async ({ params, body, request }) => {
        const { node, record, key, waitMs = 0 } = body
        const { traceparent } = request.headers
        // Headers that come twice are a list: which one is meant nobody knows.
        const given = { node, record, ...(typeof traceparent === 'string' && { traceparent }) }
        const { receipts } = runningOf(room, params.pipeline)
        const pushed =
          key === undefined ? await receipts.push(given, waitMs) : await receipts.pushOnce(key, given, waitMs)
        return receiptView(pushed, showRecords)
      },
    }),
    endpoint('GET /pipelines/:pipeline/records/:id', {
      tag: 'commands',
      summary: 'Returns the state of a pushed record.',
      params: { ...PIPELINE, id: Type.String({ examples: ['1'] }) },
      answer: PushedRecord,
      errors: ['RECEIPT_UNKNOWN'],
      handle: ({ params }) => receiptView(runningOf(room, params.pipeline).receipts.get(params.id), showRecords),
    }),
  ]
}
