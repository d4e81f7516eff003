import { Type } from 'typebox'
import {
  EDGE_FIGURES,
  type EdgeFigure,
  type Figure,
  HISTOGRAMS,
  NODE_FIGURES,
  type NodeFigure,
  namesOf,
  TIMES,
  type Time,
} from '../../figures.ts'
import { EDGE_RATES, type EdgeRates, NODE_RATES, type NodeRates } from '../../telemetry/rates.ts'
import { endpoint, type Endpoint } from '../endpoint.ts'

/** Fields of answers, with what the table of figures says of them. */
type Fields<Name extends string, Schema> = { [K in Name]: Schema }

/** Counts of a node since the start: `in`, `done`, … */
export const NODE_COUNT_FIELDS = counts(NODE_FIGURES) as Fields<NodeFigure, Type.TInteger>
/** Counts of an edge since the start, and what its lanes hold: `records`, `queued`, … */
export const EDGE_COUNT_FIELDS = counts(EDGE_FIGURES) as Fields<EdgeFigure, Type.TInteger>
/** `inPerSecond`, `donePerSecond`, … */
export const NODE_RATE_FIELDS = rates(NODE_FIGURES, NODE_RATES) as Fields<keyof NodeRates, Type.TNumber>
/** `recordsPerSecond`, `bytesPerSecond`, … */
export const EDGE_RATE_FIELDS = rates(EDGE_FIGURES, EDGE_RATES) as Fields<keyof EdgeRates, Type.TNumber>

export const Counts = Type.Object(NODE_COUNT_FIELDS)
export type Counts = Type.Static<typeof Counts>

export const Shares = Type.Object(
  Object.fromEntries(
    namesOf(TIMES).map((name) => [name, Type.Number({ minimum: 0, maximum: 1, description: TIMES[name].text })]),
  ) as Fields<Time, Type.TNumber>,
  { description: 'How workers spend their time: shares from 0 to 1.' },
)
export type Shares = Type.Static<typeof Shares>

const Described = Type.Object({
  name: Type.String({ description: 'Name of the field in answers.' }),
  rate: Type.Optional(Type.String({ description: 'Name of the field of its rate, if it is a counter.' })),
  kind: Type.Enum(['counter', 'gauge']),
  unit: Type.String(),
  metric: Type.Optional(Type.String({ description: 'Name in `/metrics`.' })),
  label: Type.String(),
  text: Type.String(),
})

const DescribedHistogram = Type.Object({
  kind: Type.String({ description: 'Name in URLs and answers.' }),
  unit: Type.String(),
  metric: Type.String({ description: 'Name in `/metrics`, where times are in seconds.' }),
  label: Type.String(),
  text: Type.String(),
})

export const FiguresAnswer = Type.Object(
  {
    nodes: Type.Array(Described, { description: 'Figures of each node.' }),
    edges: Type.Array(Described, { description: 'Figures of each edge.' }),
    times: Type.Array(Type.Object({ name: Type.String(), label: Type.String(), text: Type.String() }), {
      description: 'How workers spend their time.',
    }),
    histograms: Type.Array(DescribedHistogram),
  },
  {
    examples: [
      {
        nodes: described(NODE_FIGURES, NODE_RATES).slice(0, 1),
        edges: described(EDGE_FIGURES, EDGE_RATES).slice(0, 1),
        times: [{ name: 'busy', ...TIMES.busy }],
        histograms: describedHistograms().slice(0, 1),
      },
    ],
  },
)
export type FiguresAnswer = Type.Static<typeof FiguresAnswer>

export function figures(): readonly Endpoint[] {
  const answer: FiguresAnswer = {
    nodes: described(NODE_FIGURES, NODE_RATES),
    edges: described(EDGE_FIGURES, EDGE_RATES),
    times: namesOf(TIMES).map((name) => ({ name, ...TIMES[name] })),
    histograms: describedHistograms(),
  }
  return [
    endpoint('GET /figures', {
      tag: 'figures',
      summary: 'Describes all figures: names, units, labels and metrics.',
      answer: FiguresAnswer,
      handle: () => answer,
    }),
  ]
}

type Figures = Readonly<Record<string, Figure>>
type RateNames = readonly (readonly [counter: string, rate: string])[]

function counts(table: Figures): Record<string, Type.TInteger> {
  return Object.fromEntries(
    Object.entries(table).map(([name, { text }]) => [name, Type.Integer({ description: text })]),
  )
}

function rates(table: Figures, names: RateNames): Record<string, Type.TNumber> {
  return Object.fromEntries(
    names.map(([counter, name]) => [
      name,
      Type.Number({ minimum: 0, description: `Per second. ${table[counter]!.text}` }),
    ]),
  )
}

function described(table: Figures, names: RateNames): Type.Static<typeof Described>[] {
  const rateOf = new Map(names)
  return Object.entries(table).map(([name, { kind, unit, metric, label, text }]) => {
    const rate = rateOf.get(name)
    return {
      name,
      ...(rate === undefined ? {} : { rate }),
      kind,
      unit,
      ...(metric === undefined ? {} : { metric: `millrace_${metric}` }),
      label,
      text,
    }
  })
}

function describedHistograms(): Type.Static<typeof DescribedHistogram>[] {
  return namesOf(HISTOGRAMS).map((kind) => {
    const { unit, metric, label, text } = HISTOGRAMS[kind]
    return { kind, unit, metric: `millrace_${metric}`, label, text }
  })
}
