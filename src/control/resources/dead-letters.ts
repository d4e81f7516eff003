import { Type } from 'typebox'
import { MillraceError } from '../../errors.ts'
import { shown, type ShownLimits } from '../../shown.ts'
import type { DeadLetter } from '../../supervisor/dead-letters.ts'
import { endpoint, PIPELINE, examplesOf, type Endpoint } from '../endpoint.ts'
import { ErrorView, errorView } from '../error-view.ts'
import { PushedRecord, receiptView } from './receipts.ts'
import { type Room, runningOf } from '../room.ts'
import type { Running } from '../watched.ts'

export const DeadLetterView = Type.Object(
  {
    id: Type.Integer(),
    node: Type.String({ description: 'The node where the record failed.' }),
    worker: Type.Integer(),
    time: Type.Number({ description: 'Milliseconds since 1970.' }),
    outcome: Type.Enum(['failed', 'deadLettered'], {
      description: '`failed`: nacked. `deadLettered`: sent to an error or dead-letter edge.',
    }),
    attempts: Type.Integer(),
    error: ErrorView,
    input: Type.Optional(
      Type.Unknown({
        description:
          'The record; only with `showRecords`. Values that JSON cannot express are described, such as `12n`. Truncated at 4 KiB in lists, at 256 KiB alone.',
      }),
    ),
    bytes: Type.Integer({ description: 'Memory used by the letter, including its record.' }),
    canReplay: Type.Boolean({ description: 'The record is kept, and the pipeline runs with `inject`.' }),
    replay: Type.Optional(PushedRecord),
  },
  {
    examples: [
      {
        id: 7,
        node: 'parse',
        worker: 1,
        time: 1_790_000_000_000,
        outcome: 'failed',
        attempts: 3,
        error: { name: 'SyntaxError' },
        bytes: 812,
        canReplay: true,
      },
    ],
  },
)
export type DeadLetterView = Type.Static<typeof DeadLetterView>

export const DeadLetterList = Type.Object(
  {
    total: Type.Integer({ description: 'Records that failed since the start, kept or not.' }),
    dropped: Type.Integer({ description: 'Dead letters removed to make room for newer ones.' }),
    bytes: Type.Integer({ description: 'Memory used by the kept letters.' }),
    deadLetters: Type.Array(DeadLetterView, { description: 'Newest first.' }),
  },
  { examples: [{ total: 7, dropped: 0, bytes: 812, deadLetters: examplesOf(DeadLetterView) }] },
)
export type DeadLetterList = Type.Static<typeof DeadLetterList>

export const Purged = Type.Object({ purged: Type.Integer() }, { examples: [{ purged: 1 }] })
export type Purged = Type.Static<typeof Purged>

const LETTER = { ...PIPELINE, id: Type.Integer({ minimum: 1, description: 'Id of the dead letter.', examples: [7] }) }

export function deadLetters(room: Room): readonly Endpoint[] {
  const { showRecords } = room.options
  const tag = 'dead letters'
  return [
    endpoint('GET /pipelines/:pipeline/dead-letters', {
      tag,
      summary: 'Lists records that failed, newest first.',
      params: PIPELINE,
      query: {
        node: Type.Optional(Type.String({ description: 'Only letters of this node.', examples: ['parse'] })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
        before: Type.Optional(
          Type.Integer({ minimum: 1, description: 'Only letters with a lower id, for the next page.', examples: [7] }),
        ),
      },
      answer: DeadLetterList,
      handle: ({ params, query }) => {
        const running = runningOf(room, params.pipeline)
        const { deadLetters: kept } = running.pipeline
        const { limit = 100, ...filter } = query
        const found = kept.list({ ...filter, limit })
        return {
          total: kept.total,
          dropped: kept.dropped,
          bytes: kept.bytes,
          deadLetters: found.map((letter) => letterView(running, letter, { showRecords, limits: IN_LIST })),
        }
      },
    }),
    endpoint('GET /pipelines/:pipeline/dead-letters/:id', {
      tag,
      summary: 'Returns one dead letter.',
      params: LETTER,
      answer: DeadLetterView,
      errors: ['DEAD_LETTER_UNKNOWN'],
      handle: ({ params }) => {
        const running = runningOf(room, params.pipeline)
        return letterView(running, letterOf(running, params.id), { showRecords, limits: BY_ITSELF })
      },
    }),
    endpoint('POST /pipelines/:pipeline/dead-letters/:id/replay', {
      tag,
      summary:
        'Replays the record: sends it to its node again. A second replay of the same letter returns the state of the first.',
      params: LETTER,
      answer: PushedRecord,
      status: 202,
      errors: ['DEAD_LETTER_UNKNOWN', 'DEAD_LETTER_EMPTY', 'INJECT_OFF', 'PIPELINE_NOT_RUNNING', 'RECORDS_WAITING'],
      handle: async ({ params }) => {
        const running = runningOf(room, params.pipeline)
        const letter = letterOf(running, params.id)
        if (!('input' in letter)) throw new MillraceError('DEAD_LETTER_EMPTY', { id: params.id })
        return receiptView(await running.receipts.replay(letter), showRecords)
      },
    }),
    endpoint('DELETE /pipelines/:pipeline/dead-letters/:id', {
      tag,
      summary: 'Deletes one dead letter.',
      params: LETTER,
      answer: Purged,
      handle: ({ params }) => ({ purged: runningOf(room, params.pipeline).pipeline.deadLetters.purge(params.id) }),
    }),
    endpoint('DELETE /pipelines/:pipeline/dead-letters', {
      tag,
      summary: 'Deletes all dead letters.',
      params: PIPELINE,
      answer: Purged,
      handle: ({ params }) => ({ purged: runningOf(room, params.pipeline).pipeline.deadLetters.purge() }),
    }),
  ]
}

function letterOf({ pipeline }: Running, id: number): DeadLetter {
  const found = pipeline.deadLetters.get(id)
  if (found === undefined) throw new MillraceError('DEAD_LETTER_UNKNOWN', { id })
  return found
}

/** How much of a record is shown. */
const IN_LIST: ShownLimits = { depth: 8, bytes: 4_096 }
const BY_ITSELF: ShownLimits = { depth: 32, bytes: 262_144 }

function letterView(
  { pipeline, receipts }: Running,
  letter: DeadLetter,
  { showRecords, limits }: { readonly showRecords: boolean; readonly limits: ShownLimits },
): DeadLetterView {
  const { id, node, worker, at, outcome, attempts, error, bytes } = letter
  const replay = receipts.replayOf(letter)
  const canInject = pipeline.plan.injection !== undefined
  return {
    id,
    node,
    worker,
    time: at,
    outcome,
    attempts,
    error: errorView(error, showRecords),
    ...(showRecords && 'input' in letter ? { input: shown(letter.input, limits) } : {}),
    bytes,
    canReplay: 'input' in letter && canInject,
    ...(replay === undefined ? {} : { replay: receiptView(replay, showRecords) }),
  }
}
