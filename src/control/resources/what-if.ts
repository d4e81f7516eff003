import { Type } from 'typebox'
import { whatIf, type WhatIf } from '../../analysis/flow/what-if.ts'
import { measuredGraph } from '../../analysis/live/measured.ts'
import { availableCores } from '../../cores.ts'
import { MillraceError } from '../../errors.ts'
import { PROBE_OPTIONS } from '../../options/index.ts'
import { setImmediate } from '../../time.ts'
import { endpoint, NODE, PIPELINE, type Endpoint } from '../endpoint.ts'
import { type Room, runningOf } from '../room.ts'
import type { Running } from '../watched.ts'
import { CommandAnswer, commandAnswer } from './commands.ts'

const Sized = Type.Object(
  { node: Type.String({ examples: ['parse'] }), workers: Type.Integer({ minimum: 1, maximum: 256, examples: [3] }) },
  { additionalProperties: false },
)

const WhatIfBody = Type.Object(
  { stages: Type.Array(Sized, { minItems: 1, maxItems: 256 }) },
  { additionalProperties: false, examples: [{ stages: [{ node: 'parse', workers: 3 }] }] },
)

/** Figures without a limit are null, as JSON has no infinity. */
const BeforeAfter = Type.Object({
  before: Type.Union([Type.Number(), Type.Null()]),
  after: Type.Union([Type.Number(), Type.Null()]),
})

export const WhatIfAnswer = Type.Object(
  {
    throughput: Type.Object(
      { ...BeforeAfter.properties, factor: Type.Union([Type.Number(), Type.Null()]) },
      { description: 'Records per second of all sources.' },
    ),
    bottleneck: Type.Object({ before: Type.Optional(Type.String()), after: Type.Optional(Type.String()) }),
    nodes: Type.Array(Type.Object({ node: Type.String(), in: BeforeAfter, utilisation: BeforeAfter }), {
      description: 'Nodes whose rate or utilisation differs.',
    }),
  },
  {
    examples: [
      {
        throughput: { before: 80, after: 240, factor: 3 },
        bottleneck: { before: 'enrich', after: 'store' },
        nodes: [{ node: 'enrich', in: { before: 80, after: 240 }, utilisation: { before: 1, after: 0.9 } }],
      },
    ],
  },
)
export type WhatIfAnswer = Type.Static<typeof WhatIfAnswer>

const ProbeBody = Type.Object(
  {
    speedup: Type.Optional(
      Type.Number({
        minimum: PROBE_OPTIONS.speedup.min,
        maximum: PROBE_OPTIONS.speedup.max,
        description: PROBE_OPTIONS.speedup.text,
      }),
    ),
    seconds: Type.Optional(
      Type.Number({ minimum: PROBE_OPTIONS.seconds.min, maximum: 60, description: PROBE_OPTIONS.seconds.text }),
    ),
  },
  { additionalProperties: false, examples: [{ speedup: 0.2 }] },
)

/** Rates are those of the last ten seconds. */
const MEASURED_S = 10

/** What other numbers of workers, and quicker stages, would bring. */
export function whatIfs(room: Room): readonly Endpoint[] {
  return [
    endpoint('POST /pipelines/:pipeline/what-if', {
      tag: 'analysis',
      summary: 'Predicts the effect of other numbers of workers, from the measurements of the last ten seconds.',
      access: 'read',
      params: PIPELINE,
      body: WhatIfBody,
      answer: WhatIfAnswer,
      errors: ['NODE_UNKNOWN', 'LOOP_TOO_LARGE'],
      handle: ({ params, body }) => {
        const { pipeline, analysis }: Running = runningOf(room, params.pipeline)
        const measured = measuredGraph(pipeline.graph, analysis.measured(MEASURED_S))
        const nodes = Object.fromEntries(body.stages.map(({ node, workers }) => [node, { concurrency: workers }]))
        return whatIfAnswer(whatIf(measured, { nodes }, { cores: availableCores() }))
      },
    }),
    endpoint('POST /pipelines/:pipeline/stages/:node/probe', {
      tag: 'analysis',
      summary:
        'Measures what a faster stage would bring, by slowing the others down. The event `stage.probed` reports the result.',
      params: NODE,
      body: ProbeBody,
      answer: CommandAnswer,
      status: 202,
      errors: ['NODE_UNKNOWN', 'PROBE_REFUSED', 'PIPELINE_NOT_RUNNING'],
      handle: async ({ params, body }) => {
        const { pipeline } = runningOf(room, params.pipeline)
        const probe = pipeline.probe(params.node, body).then(nothing, (error: unknown) => error)
        // What is refused is refused at once.
        const refused = await Promise.race([probe, nextTurn()])
        if (refused instanceof MillraceError) throw refused
        return commandAnswer(room, params.pipeline)
      },
    }),
  ]
}

function nothing(): undefined {
  return undefined
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => resolve()))
}

function whatIfAnswer({ throughput, before, after, nodes }: WhatIf): WhatIfAnswer {
  const [limit, then] = [before.bottleneck?.node, after.bottleneck?.node]
  return {
    throughput: { ...pair(throughput), factor: figure(throughput.factor) },
    bottleneck: { ...(limit === undefined ? {} : { before: limit }), ...(then === undefined ? {} : { after: then }) },
    nodes: nodes.map(({ id, in: into, utilisation }) => ({ node: id, in: pair(into), utilisation: pair(utilisation) })),
  }
}

function pair({ before, after }: { before: number; after: number }): { before: number | null; after: number | null } {
  return { before: figure(before), after: figure(after) }
}

function figure(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
