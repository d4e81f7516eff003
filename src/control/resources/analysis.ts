import { Type } from 'typebox'
import { CAUSES } from '../../analysis/live/blame.ts'
import { endpoint, PIPELINE, type Endpoint } from '../endpoint.ts'
import { RESIZE_TO } from './live.ts'
import { type Room, runningOf } from '../room.ts'
import type { Running } from '../watched.ts'

/** Figures without a limit are null, as JSON has no infinity. */
const Figure = Type.Union([Type.Number(), Type.Null()])
const Share = Type.Number({ minimum: 0, maximum: 1 })

const Problem = Type.Object(
  { code: Type.String(), severity: Type.Enum(['error', 'warning']), message: Type.String(), fix: Type.String() },
  { additionalProperties: true },
)

export const AnalysisAnswer = Type.Object(
  {
    bottleneck: Type.Object(
      {
        node: Type.Optional(Type.String()),
        cause: Type.Enum([...CAUSES], {
          description:
            'Why this stage is the bottleneck: it is saturated; it blocks others without being saturated; something outside the pipeline blocks it; stages in a loop wait for each other; a rate limit; a full window; or no stage is saturated.',
        }),
        sentence: Type.String(),
        because: Type.Array(Type.String()),
        remedy: Type.String(),
        resizeTo: RESIZE_TO,
        chain: Type.Array(
          Type.Object({ node: Type.String(), waitsFor: Type.String(), edge: Type.Integer(), share: Share }),
        ),
      },
      { description: 'Measured over the last ten seconds.' },
    ),
    nodes: Type.Array(
      Type.Object({
        node: Type.String(),
        kind: Type.String(),
        declared: Type.Object({ serviceRate: Figure, offered: Figure }, { description: 'Declared in the graph.' }),
        predicted: Type.Object(
          { inPerSecond: Figure, outPerSecond: Figure, utilisation: Share },
          { description: 'Predicted from what the graph declares.' },
        ),
        measured: Type.Union([
          Type.Object({
            inPerSecond: Type.Number(),
            outPerSecond: Type.Number(),
            busy: Share,
            serviceMs: Type.Number(),
            p99Ms: Type.Number(),
          }),
          Type.Null(),
        ]),
      }),
      { description: 'Rates in records per second.' },
    ),
    seconds: Type.Number({ description: 'Length of the measurement window.' }),
    problems: Type.Array(Problem, { description: 'Problems found by validation of the graph.' }),
    loops: Type.Array(Type.Object({ nodes: Type.Array(Type.String()), safe: Type.Boolean(), why: Type.String() }), {
      description: 'Loops of the graph, and whether they can deadlock.',
    }),
    assumptions: Type.Array(Type.String()),
    drift: Type.Array(
      Type.Object({
        node: Type.Optional(Type.String()),
        edge: Type.Optional(Type.Integer()),
        figure: Type.String(),
        declared: Figure,
        measured: Figure,
        drift: Figure,
        exceeds: Type.Boolean(),
      }),
    ),
    ledger: Type.Object({
      holds: Type.Boolean(),
      entries: Type.Array(
        Type.Object({
          node: Type.String(),
          in: Type.Integer(),
          done: Type.Integer(),
          filtered: Type.Integer(),
          deadLettered: Type.Integer(),
          failed: Type.Integer(),
          inFlight: Type.Integer(),
          difference: Type.Integer(),
          lanesDifference: Type.Integer({
            description: 'Counters of a running pipeline are read one after another, so small differences come and go.',
          }),
          holds: Type.Boolean(),
        }),
      ),
    }),
  },
  {
    examples: [
      {
        bottleneck: {
          node: 'enrich',
          cause: 'full',
          sentence: '`enrich` is busy 98 % of the time; `parse` waits for it 71 % of the time',
          because: ['`parse` waits for it 71 % of the time'],
          remedy: '3 workers would lift the limit from 80 records/s to 240 records/s.',
          chain: [{ node: 'parse', waitsFor: 'enrich', edge: 1, share: 0.71 }],
        },
        nodes: [
          {
            node: 'enrich',
            kind: 'transform',
            declared: { serviceRate: 80, offered: 240 },
            predicted: { inPerSecond: 80, outPerSecond: 80, utilisation: 1 },
            measured: { inPerSecond: 79.8, outPerSecond: 79.8, busy: 0.98, serviceMs: 12.4, p99Ms: 14.1 },
          },
        ],
        seconds: 10,
        problems: [],
        loops: [],
        assumptions: [],
        drift: [{ node: 'enrich', figure: 'latencyMs', declared: 12.5, measured: 12.4, drift: -0.008, exceeds: false }],
        ledger: {
          holds: true,
          entries: [
            {
              node: 'enrich',
              in: 4_788,
              done: 4_787,
              filtered: 0,
              deadLettered: 0,
              failed: 0,
              inFlight: 1,
              difference: 0,
              lanesDifference: 0,
              holds: true,
            },
          ],
        },
      },
    ],
  },
)
export type AnalysisAnswer = Type.Static<typeof AnalysisAnswer>

export function analysis(room: Room): readonly Endpoint[] {
  return [
    endpoint('GET /pipelines/:pipeline/analysis', {
      tag: 'analysis',
      summary: 'Compares declared, predicted and measured figures, and explains the bottleneck.',
      params: PIPELINE,
      answer: AnalysisAnswer,
      handle: ({ params }) => analysisOf(runningOf(room, params.pipeline)),
    }),
  ]
}

function analysisOf({ pipeline, analysis }: Running): AnalysisAnswer {
  const { declared } = analysis
  const { measured, explanation, chain, drift } = analysis.explained
  const { holds, entries } = analysis.ledger
  const { bottleneck, cause, sentence, because, remedy } = explanation
  const { predicted, deadlock, problems } = declared
  const { resizeTo } = analysis
  const flows = new Map(predicted?.nodes.map((flow) => [flow.id, flow]))
  return {
    bottleneck: {
      ...(bottleneck === undefined ? {} : { node: bottleneck }),
      cause,
      sentence,
      because: [...because],
      remedy,
      ...(resizeTo === undefined ? {} : { resizeTo }),
      chain: chain.map((wait) => ({ ...wait })),
    },
    nodes: pipeline.graph.nodes.map(({ id, kind }) => {
      const flow = flows.get(id)
      const found = Object.hasOwn(measured.nodes, id) ? measured.nodes[id] : undefined
      return {
        node: id,
        kind,
        declared: { serviceRate: figure(flow?.serviceRate), offered: figure(flow?.offered) },
        predicted: {
          inPerSecond: figure(flow?.in),
          outPerSecond: figure(flow?.out),
          utilisation: flow?.utilisation ?? 0,
        },
        measured:
          found === undefined
            ? null
            : {
                inPerSecond: found.in / measured.seconds,
                outPerSecond: found.out / measured.seconds,
                busy: found.busy,
                serviceMs: found.serviceMs,
                p99Ms: found.p99Ms,
              },
      }
    }),
    seconds: measured.seconds,
    problems: problems.map((problem) => ({ ...problem })),
    loops: deadlock.loops.map(({ cycle, safe, why }) => ({ nodes: [...cycle.nodes], safe, why })),
    assumptions: [...(predicted?.assumptions ?? [])],
    drift: drift.map((each) => ({
      ...each,
      declared: figure(each.declared),
      measured: figure(each.measured),
      drift: figure(each.drift),
    })),
    ledger: { holds, entries: [...entries] },
  }
}

function figure(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null
}
