import { Type } from 'typebox'
import { examplesOf } from '../endpoint.ts'

const TRACE = '00000000000000a10000000000000007'
const RECORD = '6a624275771d7662'
const Time = Type.Number({ description: 'Milliseconds since 1970.' })
const Share = Type.Number({ minimum: 0, maximum: 1 })
const Times = Type.Object({
  count: Type.Integer(),
  meanMs: Type.Number(),
  p50Ms: Type.Number(),
  p95Ms: Type.Number(),
  p99Ms: Type.Number(),
  maxMs: Type.Number(),
})
const TIMES = { count: 4, meanMs: 2, p50Ms: 2, p95Ms: 3, p99Ms: 3, maxMs: 3 }

const Summary = Type.Object(
  {
    trace: Type.String(),
    pipeline: Type.String(),
    run: Type.String(),
    status: Type.Enum(['open', 'ok', 'failed']),
    startedAt: Time,
    durationMs: Type.Number(),
    records: Type.Integer({ description: 'Records that the source made.' }),
    events: Type.Integer(),
    bytes: Type.Number(),
    nodes: Type.Array(Type.String(), { description: 'In the order in which the trace passed them.' }),
    troubles: Type.Integer({ description: 'Attempts and records that failed.' }),
    isIncomplete: Type.Boolean({ description: 'An event of it was dropped or cut.' }),
  },
  {
    examples: [
      {
        trace: TRACE,
        pipeline: 'iot',
        run: '00000000000000a1',
        status: 'ok',
        startedAt: 1_790_000_000_000,
        durationMs: 12.5,
        records: 4,
        events: 4,
        bytes: 420,
        nodes: ['sensors', 'parse', 'influx'],
        troubles: 0,
        isIncomplete: false,
      },
    ],
  },
)

export const TraceListAnswer = Type.Object(
  {
    traces: Type.Array(Summary),
    total: Type.Integer({ description: 'Number on all pages together.' }),
    next: Type.Optional(Type.String({ description: 'Pass it as `cursor` to get the next page.' })),
  },
  { examples: [{ traces: examplesOf(Summary), total: 1 }] },
)
export type TraceListAnswer = Type.Static<typeof TraceListAnswer>

const Span = Type.Object({
  event: Type.Unknown({
    description: 'The event, as in `millrace/trace`. Content and error texts only with `showRecords`.',
  }),
  parents: Type.Array(Type.Integer(), { description: 'Indexes of the spans that sent what this one took.' }),
  retryOf: Type.Optional(Type.Integer({ description: 'Index of the attempt before.' })),
  depth: Type.Integer(),
  writtenMs: Type.Number(),
  takenMs: Type.Number(),
  endMs: Type.Number(),
  waitMs: Type.Number(),
  serviceMs: Type.Number(),
  otherMs: Type.Number(),
  taken: Type.Integer(),
  sent: Type.Integer(),
})

export const TraceAnswer = Type.Object(
  {
    summary: Summary,
    spans: Type.Array(Span, { description: 'Ordered by time.' }),
    criticalPath: Type.Object({
      spans: Type.Array(Type.Integer()),
      totalMs: Type.Number(),
      waiting: Type.Number(),
      service: Type.Number(),
      retry: Type.Number(),
      other: Type.Number(),
    }),
  },
  {
    examples: [
      {
        summary: examplesOf(Summary)[0],
        spans: [],
        criticalPath: { spans: [], totalMs: 0, waiting: 0, service: 0, retry: 0, other: 0 },
      },
    ],
  },
)
export type TraceAnswer = Type.Static<typeof TraceAnswer>

export const LineageAnswer = Type.Object(
  {
    record: Type.String(),
    direction: Type.Enum(['up', 'down']),
    pipeline: Type.String(),
    run: Type.String(),
    steps: Type.Array(
      Type.Object({
        record: Type.String(),
        node: Type.String(),
        worker: Type.Integer(),
        epoch: Type.Integer(),
        edge: Type.Optional(Type.Integer()),
        attempt: Type.Integer(),
        at: Time,
        waitMs: Type.Optional(Type.Number()),
        serviceMs: Type.Number(),
        fate: Type.String({
          description:
            'made, passed, written, sent, filtered, dropped, failed, retried, deadLettered, `died` or abandoned.',
        }),
        reason: Type.Optional(Type.String()),
        traces: Type.Array(Type.String()),
        sequence: Type.Integer(),
      }),
    ),
    links: Type.Array(Type.Array(Type.Integer()), {
      description: 'Pairs of indexes into `steps`: the second is a result of the first.',
    }),
    isComplete: Type.Boolean(),
  },
  {
    examples: [
      {
        record: RECORD,
        direction: 'down',
        pipeline: 'iot',
        run: '00000000000000a1',
        steps: [],
        links: [],
        isComplete: true,
      },
    ],
  },
)
export type LineageAnswer = Type.Static<typeof LineageAnswer>

export const DependencyList = Type.Object(
  {
    dependencies: Type.Array(
      Type.Object({
        from: Type.String(),
        to: Type.String(),
        edge: Type.Integer(),
        records: Type.Integer(),
        isExact: Type.Boolean({ description: 'Counts all traffic, not only the traced part.' }),
        frames: Type.Integer(),
        bytes: Type.Number(),
        transfer: Times,
      }),
    ),
  },
  {
    examples: [
      {
        dependencies: [
          { from: 'sensors', to: 'parse', edge: 0, records: 4, isExact: false, frames: 1, bytes: 420, transfer: TIMES },
        ],
      },
    ],
  },
)

export const TransferList = Type.Object(
  {
    transfers: Type.Array(
      Type.Object({
        trace: Type.String(),
        node: Type.String({ description: 'Who took it.' }),
        edge: Type.Integer(),
        records: Type.Integer(),
        bytes: Type.Optional(Type.Number()),
        depth: Type.Optional(Type.Integer({ description: 'Records on the lane when it was taken.' })),
        writtenAt: Time,
        waitMs: Type.Number(),
        serviceMs: Type.Number(),
        attempt: Type.Integer(),
        sequence: Type.Integer(),
      }),
    ),
  },
  {
    examples: [
      {
        transfers: [
          {
            trace: TRACE,
            node: 'parse',
            edge: 0,
            records: 4,
            writtenAt: 1_790_000_000_000,
            waitMs: 3,
            serviceMs: 1,
            attempt: 0,
            sequence: 12,
          },
        ],
      },
    ],
  },
)

export const PathList = Type.Object(
  {
    paths: Type.Array(
      Type.Object({ nodes: Type.Array(Type.String()), times: Times, waiting: Share, service: Share, other: Share }),
    ),
  },
  { examples: [{ paths: [{ nodes: ['sensors', 'parse'], times: TIMES, waiting: 0.6, service: 0.3, other: 0.1 }] }] },
)

export const AuditAnswer = Type.Object(
  {
    isBalanced: Type.Boolean(),
    edges: Type.Array(
      Type.Object({
        edge: Type.Integer(),
        sent: Type.Integer(),
        arrived: Type.Integer(),
        inFlight: Type.Integer(),
        lost: Type.Integer(),
      }),
    ),
    findings: Type.Array(
      Type.Object({
        kind: Type.Enum(['lost', 'inFlight', 'unsent', 'doubled']),
        edge: Type.Integer(),
        node: Type.String(),
        run: Type.String(),
        sequence: Type.Integer(),
        traces: Type.Array(Type.String()),
        records: Type.Array(Type.String()),
      }),
    ),
    incompleteTraces: Type.Integer({ description: 'Traces with dropped events: the audit leaves them out.' }),
    events: Type.Integer(),
  },
  {
    examples: [
      {
        isBalanced: true,
        edges: [{ edge: 0, sent: 4, arrived: 4, inFlight: 0, lost: 0 }],
        findings: [],
        incompleteTraces: 0,
        events: 4,
      },
    ],
  },
)

export const MomentAnswer = Type.Object(
  {
    at: Time,
    edges: Type.Array(Type.Object({ edge: Type.Integer(), waiting: Type.Integer() }), {
      description: 'Traced records that were sent and not taken yet.',
    }),
    nodes: Type.Array(
      Type.Object({
        node: Type.String(),
        inHand: Type.Integer({ description: 'Traced records that were taken and not handed off yet.' }),
        busy: Type.Number({ minimum: 0, maximum: 1, description: 'Share of the time before in the handler.' }),
      }),
    ),
    open: Type.Integer({ description: 'Traces that had begun and not ended.' }),
  },
  {
    examples: [
      {
        at: 1_790_000_000_000,
        edges: [{ edge: 0, waiting: 12 }],
        nodes: [{ node: 'parse', inHand: 4, busy: 0.7 }],
        open: 3,
      },
    ],
  },
)
export type MomentAnswer = Type.Static<typeof MomentAnswer>
