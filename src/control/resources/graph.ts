import { Type } from 'typebox'
import { graphToJson } from '../../graph/json.ts'
import { toDot } from '../../render/dot.ts'
import { toMermaid } from '../../render/mermaid.ts'
import type { DrawOptions } from '../../render/picture.ts'
import { toSvg } from '../../render/svg.ts'
import { THEMES, type ThemeName } from '../../render/themes.ts'
import { measurements } from '../../telemetry/measurements.ts'
import { endpoint, PIPELINE, type Endpoint } from '../endpoint.ts'
import { type Room, runningOf } from '../room.ts'
import type { Running } from '../watched.ts'

export const GraphAnswer = Type.Object(
  {
    name: Type.String(),
    nodes: Type.Array(Type.Object({ id: Type.String(), kind: Type.String() }, { additionalProperties: true })),
    edges: Type.Array(Type.Object({ from: Type.String(), to: Type.String() }, { additionalProperties: true })),
    clusters: Type.Array(Type.Object({ id: Type.String() }, { additionalProperties: true })),
  },
  {
    description: 'The graph; its schema is `graph.schema.json`.',
    examples: [
      {
        name: 'iot',
        nodes: [
          { id: 'sensors', kind: 'source', rate: 10_000 },
          { id: 'store', kind: 'sink', concurrency: 2 },
        ],
        edges: [{ from: 'sensors', to: 'store' }],
        clusters: [],
      },
    ],
  },
)
export type GraphAnswer = Type.Static<typeof GraphAnswer>

const TYPES = { dot: 'text/vnd.graphviz', mermaid: 'text/plain', svg: 'image/svg+xml' } as const
type Format = keyof typeof TYPES

/** Live colours are of so many seconds. */
const LIVE_S = 10

const DRAWING = {
  live: Type.Optional(
    Type.Boolean({ default: false, description: 'Color nodes by load and show rates of the last ten seconds.' }),
  ),
  theme: Type.Optional(Type.Enum(Object.keys(THEMES) as ThemeName[], { default: 'default' })),
  direction: Type.Optional(Type.Enum(['LR', 'TB', 'RL', 'BT'] as const)),
}

export function graph(room: Room): readonly Endpoint[] {
  const drawing = (
    format: Format,
    draw: (graph: Running['pipeline']['graph'], options: DrawOptions) => unknown,
  ): Endpoint =>
    endpoint(`GET /pipelines/:pipeline/graph.${format}`, {
      tag: 'graph',
      summary: `Draws the graph as ${format === 'svg' ? 'an SVG picture' : format === 'dot' ? 'DOT' : 'Mermaid'}.`,
      params: PIPELINE,
      query: DRAWING,
      answer: TYPES[format],
      errors: format === 'svg' ? ['SVG_RENDERER_MISSING', 'SVG_NOT_DRAWN'] : [],
      handle: async ({ params, query, reply }) => {
        const running = runningOf(room, params.pipeline)
        const { live = false, theme = 'default', direction } = query
        const turned = direction === undefined ? theme : { ...THEMES[theme], rankdir: direction }
        const picture = await draw(running.pipeline.graph, { theme: turned, ...(live ? liveOptions(running) : {}) })
        void reply.type(`${TYPES[format]}; charset=utf-8`)
        return picture
      },
    })
  return [
    endpoint('GET /pipelines/:pipeline/graph', {
      tag: 'graph',
      summary: 'Returns the graph as JSON.',
      params: PIPELINE,
      answer: GraphAnswer,
      handle: ({ params }) => graphToJson(runningOf(room, params.pipeline).pipeline.graph),
    }),
    drawing('dot', toDot),
    drawing('mermaid', toMermaid),
    drawing('svg', toSvg),
  ]
}

function liveOptions({ pipeline, sampler }: Running): DrawOptions {
  const now = sampler.now()
  return { heat: true, measurements: measurements(pipeline.plan, now, sampler.before(now, LIVE_S)) }
}
