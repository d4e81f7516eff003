import { Type } from 'typebox'
import { MillraceError } from '../../errors.ts'
import { HISTOGRAMS, type HistogramKind, namesOf } from '../../figures.ts'
import { distribution } from '../../telemetry/distribution.ts'
import { hdrBase64 } from '../../telemetry/hdr-export.ts'
import { type HistogramCopy, summaryOfCopy } from '../../telemetry/histogram-read.ts'
import { endpoint, NODE, PIPELINE, type Endpoint } from '../endpoint.ts'
import { type Room, runningOf } from '../room.ts'
import type { Running } from '../watched.ts'

const KINDS = namesOf(HISTOGRAMS)

const Kind = Type.Enum([...KINDS], {
  description: KINDS.map((kind) => `\`${kind}\`: ${HISTOGRAMS[kind].text}`).join(' '),
})
const Unit = Type.Enum(['ns', 'records'])

export const HistogramFigures = Type.Object({
  count: Type.Integer(),
  mean: Type.Number(),
  deviation: Type.Number({ description: 'Standard deviation.' }),
  min: Type.Number(),
  max: Type.Number(),
  p50: Type.Number(),
  p90: Type.Number(),
  p99: Type.Number(),
  p999: Type.Number(),
})
export type HistogramFigures = Type.Static<typeof HistogramFigures>

const figuresExample = {
  count: 61_204,
  mean: 20_511,
  deviation: 3_120,
  min: 18_304,
  max: 311_295,
  p50: 20_095,
  p90: 22_399,
  p99: 35_583,
  p999: 91_135,
}

export const HistogramList = Type.Object(
  { histograms: Type.Array(Type.Object({ node: Type.String(), kind: Kind, unit: Unit, total: HistogramFigures })) },
  { examples: [{ histograms: [{ node: 'parse', kind: 'service', unit: 'ns', total: figuresExample }] }] },
)
export type HistogramList = Type.Static<typeof HistogramList>

const Distribution = Type.Object({
  seconds: Type.Number({ description: 'Seconds of recording.' }),
  figures: HistogramFigures,
  points: Type.Array(
    Type.Object({
      share: Type.Number({ description: 'Share of all values, from 0 to 1.' }),
      value: Type.Number(),
      count: Type.Integer({ description: 'Number of values up to this one.' }),
    }),
    { description: 'Points of the distribution, denser towards 1, as HdrHistogram prints them.' },
  ),
  hdr: Type.Optional(Type.String({ description: 'HdrHistogram V2 encoding, compressed, as base64.' })),
})

export const HistogramAnswer = Type.Object(
  { node: Type.String(), kind: Kind, unit: Unit, total: Distribution, window: Distribution },
  {
    examples: [
      {
        node: 'parse',
        kind: 'service',
        unit: 'ns',
        total: { seconds: 60.2, figures: figuresExample, points: [{ share: 0.5, value: 20_095, count: 30_602 }] },
        window: { seconds: 10, figures: figuresExample, points: [{ share: 0.5, value: 20_095, count: 30_602 }] },
      },
    ],
  },
)
export type HistogramAnswer = Type.Static<typeof HistogramAnswer>

export function histograms(room: Room): readonly Endpoint[] {
  return [
    endpoint('GET /pipelines/:pipeline/histograms', {
      tag: 'figures',
      summary: 'Summarizes all histograms since the start.',
      params: PIPELINE,
      answer: HistogramList,
      handle: ({ params }) => {
        const { stages } = runningOf(room, params.pipeline).sampler.now()
        const list = Object.values(stages).flatMap(({ node, histograms: found }) =>
          KINDS.flatMap((kind) => {
            const total = found[kind]
            return total === undefined ? [] : [{ node, kind, unit: HISTOGRAMS[kind].unit, total: { ...total } }]
          }),
        )
        return { histograms: list }
      },
    }),
    endpoint('GET /pipelines/:pipeline/stages/:node/histograms/:kind', {
      tag: 'figures',
      summary: 'Returns one histogram, since the start and over a window.',
      params: { ...NODE, kind: Kind },
      query: {
        window: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 60,
            default: 10,
            description: 'Window in seconds. Sampling starts with the first request.',
          }),
        ),
        hdr: Type.Optional(Type.Boolean({ default: false, description: 'Include the HdrHistogram V2 encoding.' })),
      },
      answer: HistogramAnswer,
      errors: ['NODE_UNKNOWN', 'HISTOGRAM_UNKNOWN'],
      handle: ({ params, query }) => {
        const { window = 10, hdr = false } = query
        return histogramOf(runningOf(room, params.pipeline), params, window, hdr)
      },
    }),
  ]
}

async function histogramOf(
  { pipeline, sampler, history }: Running,
  { node, kind }: { readonly node: string; readonly kind: HistogramKind },
  seconds: number,
  withHdr: boolean,
): Promise<HistogramAnswer> {
  const { elapsedMs, stages } = sampler.now()
  if (!Object.hasOwn(stages, node)) throw new MillraceError('NODE_UNKNOWN', { node })
  const read = (): HistogramCopy => {
    const copy = pipeline.histogram(node, kind)
    if (copy === undefined) throw new MillraceError('HISTOGRAM_UNKNOWN', { node, kind })
    return copy
  }
  const windowed = history.window(`${kind} ${node}`, read, seconds)
  return {
    node,
    kind,
    unit: HISTOGRAMS[kind].unit,
    total: await distributionOf(read(), elapsedMs / 1_000, withHdr),
    window: await distributionOf(windowed.copy, windowed.seconds, withHdr),
  }
}

async function distributionOf(
  copy: HistogramCopy,
  seconds: number,
  withHdr: boolean,
): Promise<HistogramAnswer['total']> {
  const points = distribution(copy).map((point) => ({ ...point }))
  return { seconds, figures: summaryOfCopy(copy), points, ...(withHdr ? { hdr: await hdrBase64(copy) } : {}) }
}
