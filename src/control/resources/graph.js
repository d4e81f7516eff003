import { Type } from 'typebox'
import { graphToJson } from '../../graph/json.js'
import { toDot } from '../../render/dot.js'
import { toMermaid } from '../../render/mermaid.js'
import { toSvg } from '../../render/svg.js'
import { THEMES } from '../../render/themes.js'
import { measurements } from '../../telemetry/measurements.js'
import { endpoint, PIPELINE } from '../endpoint.js'
import { runningOf } from '../room.js'
export const GraphAnswer = Type.Object(
  {
    name: Type.String(),
    nodes: Type.Array(Type.Object({ id: Type.String(), kind: Type.String() }, { additionalProperties: true })),
    edges: Type.Array(Type.Object({ from: Type.String(), to: Type.String() }, { additionalProperties: true })),
    clusters: Type.Array(Type.Object({ id: Type.String() }, { additionalProperties: true })),
  },
  {
    description: 'As `graph.schema.json` describes it.',
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
const TYPES = { dot: 'text/vnd.graphviz', mermaid: 'text/plain', svg: 'image/svg+xml' }
/** Live colours are of so many seconds. */
const LIVE_S = 10
const DRAWING = {
  live: Type.Optional(
    Type.Boolean({ default: false, description: 'Colours by load, and shows the figures of the last ten seconds.' }),
  ),
  theme: Type.Optional(Type.Enum(Object.keys(THEMES), { default: 'default' })),
  direction: Type.Optional(Type.Enum(['LR', 'TB', 'RL', 'BT'])),
}
export function graph(room) {
  const drawing = (format, draw) =>
    endpoint(`GET /pipelines/:pipeline/graph.${format}`, {
      tag: 'graph',
      summary: `The graph as ${format === 'svg' ? 'an SVG picture' : format === 'dot' ? 'DOT' : 'Mermaid'}.`,
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
      summary: 'The graph as JSON.',
      params: PIPELINE,
      answer: GraphAnswer,
      handle: ({ params }) => graphToJson(runningOf(room, params.pipeline).pipeline.graph),
    }),
    drawing('dot', toDot),
    drawing('mermaid', toMermaid),
    drawing('svg', toSvg),
  ]
}
function liveOptions({ pipeline, sampler }) {
  const now = sampler.now()
  return { heat: true, measurements: measurements(pipeline.plan, now, sampler.before(now, LIVE_S)) }
}
