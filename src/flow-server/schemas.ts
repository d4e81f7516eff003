import { Type } from 'typebox'

const STATES = ['queued', 'running', 'paused', 'succeeded', 'failed', 'stopped', 'timedOut'] as const

export const StateOfRequest = Type.Enum([...STATES], {
  description: 'The last four are final. `queued`: it waits until fewer than `maxRequests` are open.',
})

const StepOfRequest = Type.Object({
  step: Type.String(),
  path: Type.Array(Type.Integer(), { description: 'Index of the item, for each `forEach` around the step.' }),
  state: Type.Enum(['done', 'failed', 'undone', 'undoFailed']),
  attempts: Type.Integer(),
  startedAt: Type.String({ format: 'date-time' }),
  endedAt: Type.String({ format: 'date-time' }),
  error: Type.Optional(
    Type.Object({
      name: Type.String(),
      code: Type.Optional(Type.String()),
      message: Type.Optional(Type.String({ description: 'Only with `showErrors`.' })),
    }),
  ),
})
export type StepOfRequest = Type.Static<typeof StepOfRequest>

/** A request, as the API shows it. */
export const RequestAnswer = Type.Object(
  {
    id: Type.String(),
    flow: Type.String(),
    state: StateOfRequest,
    isOpen: Type.Boolean({
      description: 'Not yet over: a stopped request is open until its running steps have ended.',
    }),
    createdAt: Type.String({ format: 'date-time' }),
    startedAt: Type.Optional(Type.String({ format: 'date-time' })),
    endedAt: Type.Optional(Type.String({ format: 'date-time' })),
    replayOf: Type.Optional(Type.String({ description: 'The request that this one replays.' })),
    instance: Type.Optional(
      Type.String({ description: 'The instance that runs it, if several processes share the store.' }),
    ),
    answer: Type.Optional(
      Type.Unknown({
        description:
          'The answer, if the request has succeeded. Bytes are base64, in an object with the single key `base64`.',
      }),
    ),
    error: Type.Optional(
      Type.Object({
        code: Type.String(),
        step: Type.Optional(Type.String()),
        reason: Type.Optional(Type.String({ description: 'The error message of the step. Only with `showErrors`.' })),
      }),
    ),
    steps: Type.Optional(
      Type.Array(StepOfRequest, { description: 'Its steps, if the flow has `keepSteps`. Not in lists.' }),
    ),
  },
  {
    examples: [
      {
        id: '7f8e1c52-1f2a-4a55-9d6c-2f7e6d1b3c4d',
        flow: 'kyc',
        state: 'succeeded',
        isOpen: false,
        createdAt: '2026-01-05T10:00:00.000Z',
        startedAt: '2026-01-05T10:00:00.000Z',
        endedAt: '2026-01-05T10:00:00.041Z',
        answer: 'accepted',
      },
    ],
  },
)
export type RequestAnswer = Type.Static<typeof RequestAnswer>

export const RequestList = Type.Object({
  requests: Type.Array(RequestAnswer),
  total: Type.Integer({ description: 'Requests that match the filter, on all pages.' }),
  page: Type.Integer(),
  pages: Type.Integer(),
})
export type RequestList = Type.Static<typeof RequestList>

export const FlowAnswer = Type.Object(
  {
    name: Type.String(),
    state: Type.String({ description: 'State of its pipeline.' }),
    open: Type.Integer({ description: 'Requests that have not ended, queued ones too.' }),
    queued: Type.Integer(),
    steps: Type.Array(Type.String(), { description: 'Nodes of its graph that call functions of the flow.' }),
  },
  { examples: [{ name: 'kyc', state: 'running', open: 3, queued: 0, steps: ['image', 'detect', 'match', 'mark'] }] },
)
export type FlowAnswer = Type.Static<typeof FlowAnswer>

export const FlowList = Type.Object({ flows: Type.Array(FlowAnswer) })
export type FlowList = Type.Static<typeof FlowList>
