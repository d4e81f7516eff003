/** What stands beside the drawing: the sentence, what changed, the figures of a node, and what may be tried. */
import type { Difference } from '../analysis/diff.ts'
import type { Changes } from '../analysis/flow/what-if.ts'
import { resolveNode } from '../graph/resolve.ts'
import type { GraphData, GraphNode } from '../graph/types.ts'
import { numberText, percentText, rateText } from '../render/text.ts'
import { h } from '../page/dom.ts'
import type { SheetFigures } from './figures.ts'

export interface PanelView {
  readonly graph: GraphData
  readonly selected: GraphNode | undefined
  readonly figures: SheetFigures
  /** The flow with nothing changed. */
  readonly base: SheetFigures
  readonly changes: Changes
  readonly cores: number
  readonly differences: readonly Difference[]
  change(changes: Changes): void
}

/** The sentence, and how much more or less comes through than before. */
export function sentenceOf({ figures, base }: PanelView): HTMLElement {
  const now = figures.simulation.throughput
  const then = base.simulation.throughput
  const isTried = figures !== base
  const factor = then > 0 && Number.isFinite(now / then) ? ` (× ${numberText(now / then)})` : ''
  const said = isTried ? `If so: ${rateText(then)} → ${rateText(now)}${factor}. ` : ''
  return h(
    'p',
    { class: 'sentence', role: 'status' },
    said,
    figures.sentence,
    figures.isMeasured ? ' (measured)' : ' (predicted)',
  )
}

export function nodePanel({ graph, selected, figures }: PanelView): HTMLElement {
  if (selected === undefined) return h('p', { class: 'hint' }, 'Select a node: what lies above and below it is marked.')
  const flow = figures.simulation.nodes.find(({ id }) => id === selected.id)
  const edges = graph.edges.filter(({ from, to }) => from === selected.id || to === selected.id).length
  const rows: [string, string][] = [
    ['kind', selected.kind],
    ['takes', rateText(figures.rates.get(selected.id) ?? 0)],
    ['could take', flow === undefined ? '' : rateText(flow.serviceRate)],
    ['offered', flow === undefined ? '' : rateText(flow.offered)],
    ['load', figures.paints.load.get(selected.id)?.text ?? ''],
    ['errors', figures.paints.errors.get(selected.id)?.text ?? ''],
    ['time', figures.paints.p99.get(selected.id)?.text ?? ''],
    ['memory', figures.paints.memory.get(selected.id)?.text ?? ''],
    ['edges', String(edges)],
  ]
  const known = rows.filter(([, text]) => text !== '')
  return h(
    'section',
    {},
    h('h2', {}, selected.label ?? selected.id),
    ...(selected.description === undefined ? [] : [h('p', {}, selected.description)]),
    h('table', {}, ...known.map(([name, text]) => h('tr', {}, h('th', {}, name), h('td', {}, text)))),
  )
}

/** The options that a slider changes: from a sixteenth to sixteen times of what is said. */
export function slidersOf(view: PanelView): HTMLElement {
  const { selected, changes, cores } = view
  const sliders: HTMLElement[] = [
    slider('cores', changes.cores ?? cores, { least: 1, most: Math.max(64, cores) }, (value) =>
      view.change({ ...changes, cores: value }),
    ),
  ]
  if (selected !== undefined) {
    const given = { ...selected, ...changes.nodes?.[selected.id] }
    const set = (option: keyof GraphNode, value: number): void =>
      view.change({
        ...changes,
        nodes: { ...changes.nodes, [selected.id]: { ...changes.nodes?.[selected.id], [option]: value } },
      })
    const isStage = ['source', 'transform', 'sink'].includes(selected.kind)
    if (isStage)
      sliders.push(
        slider('concurrency', resolveNode(given as GraphNode).concurrency, { least: 1, most: 64 }, (value) =>
          set('concurrency', value),
        ),
      )
    const free: (keyof GraphNode)[] = ['latencyMs', 'rate', 'rateLimit', 'capacity', 'selectivity']
    for (const option of free) {
      const declared = selected[option]
      if (typeof declared !== 'number' || declared === 0) continue
      const range = { least: declared / 16, most: declared * 16 }
      sliders.push(slider(option, given[option] as number, range, (value) => set(option, value)))
    }
  }
  return h('section', { class: 'sliders' }, h('h2', {}, 'What if'), ...sliders)
}

/** On a scale of powers, in 64 steps; of workers and cores, whole numbers. */
function slider(
  name: string,
  value: number,
  { least, most }: { readonly least: number; readonly most: number },
  change: (value: number) => void,
): HTMLElement {
  const isWhole = name === 'concurrency' || name === 'cores' || name === 'capacity'
  const at = (64 * Math.log(value / least)) / Math.log(most / least)
  const shown = h('output', {}, numberText(value))
  const input = h('input', { type: 'range', min: 0, max: 64, step: 'any', value: at, name, 'aria-label': name })
  input.addEventListener('input', () => {
    const chosen = least * (most / least) ** (Number(input.value) / 64)
    const rounded = isWhole ? Math.max(1, Math.round(chosen)) : Number(chosen.toPrecision(3))
    shown.textContent = numberText(rounded)
    change(rounded)
  })
  return h('label', {}, h('span', {}, name), input, shown)
}

export function differencesOf({ differences }: PanelView): HTMLElement | undefined {
  if (differences.length === 0) return undefined
  const items = differences.map(({ of, id, change, option, before, after }) =>
    h(
      'li',
      { class: change },
      option === undefined ? `${change} ${of} ${id}` : `${id}: ${option} ${valueText(before)} → ${valueText(after)}`,
    ),
  )
  return h('section', {}, h('h2', {}, 'Changed'), h('ul', {}, ...items))
}

/** What the sliders have changed, in words. */
export function changesText({ nodes = {}, cores }: Changes): string {
  const words = Object.entries(nodes).flatMap(([id, options]) =>
    Object.entries(options).map(([option, value]) => `${id}: ${option} ${numberText(value as number)}`),
  )
  return [...(cores === undefined ? [] : [`cores ${cores}`]), ...words].join(', ')
}

/** The share of a scale, as the legend says it. */
export function scaleText(paint: string): readonly [string, string] {
  return {
    load: ['idle', percentText(1)],
    errors: ['none', percentText(0.01)],
    p99: ['0', 'slowest'],
    memory: ['0', 'most'],
  }[paint] as [string, string]
}

function valueText(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value)
}
