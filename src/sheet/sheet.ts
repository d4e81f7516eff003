/** A graph that can be asked: one file, which needs no server. Everything in it is computed here, by the analysis' own code. */
import type { Changes } from '../analysis/flow/what-if.ts'
import { impact, lineage } from '../analysis/structure.ts'
import type { GraphData } from '../graph/types.ts'
import { byId, h } from '../page/dom.ts'
import { Camera } from './camera.ts'
import { PAINTS, type Paint, type SheetData } from './data.ts'
import { Drawing, type Marks } from './drawing.ts'
import { type SheetFigures, sheetFigures, isChange } from './figures.ts'
import { fold } from './fold.ts'
import { changesText, differencesOf, nodePanel, type PanelView, scaleText, sentenceOf, slidersOf } from './panel.ts'

const data = JSON.parse(byId('sheet-data').textContent) as SheetData
const none: Changes = {}
const state = {
  graph: data.graph,
  folded: new Set<string>(),
  paint: 'load' as Paint,
  selected: undefined as string | undefined,
  search: '',
  changes: none,
}
const camera = new Camera(byId('drawing'))
let drawing: Drawing
let base: SheetFigures
let figures: SheetFigures

/** Another graph, or another cluster folded. */
function redraw(keep: boolean): void {
  const events = { select, turn }
  const differences = state.graph === data.graph ? (data.differences ?? []) : removed()
  drawing = new Drawing(fold(state.graph, state.folded), events, differences)
  camera.show(drawing.element, drawing.size, keep)
  reckon()
}

/** Other figures. */
function reckon(): void {
  base = sheetFigures(data, state.graph, none)
  figures = isChange(state.changes) ? sheetFigures(data, state.graph, state.changes) : base
  repaint()
  showPanel(true)
}

function repaint(): void {
  drawing.paint(figures, state.paint, marksOf(state.graph))
  const [least, most] = scaleText(state.paint)
  byId('scale').replaceChildren(h('span', {}, least), h('i', {}), h('span', {}, most))
}

function marksOf(graph: GraphData): Marks {
  const { selected, search } = state
  const wanted = search.trim().toLowerCase()
  const isFound = (text: string | undefined): boolean => text !== undefined && text.toLowerCase().includes(wanted)
  const found = wanted === '' ? [] : graph.nodes.filter(({ id, label }) => isFound(id) || isFound(label))
  return {
    selected,
    above: new Set(selected === undefined ? [] : lineage(graph, selected).nodes),
    below: new Set(selected === undefined ? [] : impact(graph, selected).nodes),
    found: new Set(found.map(({ id }) => id)),
  }
}

/** @param isOther another node is shown: while a slider is held, it stays */
function showPanel(isOther: boolean): void {
  const view: PanelView = {
    graph: state.graph,
    selected: state.graph.nodes.find(({ id }) => id === state.selected),
    figures,
    base,
    changes: state.changes,
    cores: data.cores,
    differences: data.differences ?? [],
    change: (changes) => {
      state.changes = changes
      figures = sheetFigures(data, state.graph, changes)
      repaint()
      showPanel(false)
    },
  }
  byId('sentence').replaceChildren(sentenceOf(view))
  byId('node').replaceChildren(nodePanel(view))
  byId('tried').textContent = changesText(state.changes)
  byId('reset').hidden = !isChange(state.changes)
  if (!isOther) return
  byId('sliders').replaceChildren(slidersOf(view))
  const differences = differencesOf(view)
  byId('differences').replaceChildren(...(differences === undefined ? [] : [differences]))
}

function select(node: string | undefined): void {
  state.selected = node
  repaint()
  showPanel(true)
}

function turn(cluster: string): void {
  if (!state.folded.delete(cluster)) state.folded.add(cluster)
  redraw(false)
}

/** Seen from before: what is there no longer is what will be removed. */
function removed() {
  return (data.differences ?? []).filter(({ change }) => change !== 'added')
}

function search(text: string): void {
  state.search = text
  repaint()
  const [first] = marksOf(state.graph).found
  const place = first === undefined ? undefined : drawing.placeOf(first)
  if (place !== undefined) camera.reveal(place)
}

const field = h('input', { type: 'search', id: 'search', placeholder: 'Search', 'aria-label': 'Search nodes' })
field.addEventListener('input', () => search(field.value))
const paint = h(
  'select',
  { id: 'paint', 'aria-label': 'Colour' },
  ...PAINTS.map((each) => h('option', { value: each }, `colour: ${each}`)),
)
paint.addEventListener('change', () => {
  state.paint = paint.value as Paint
  repaint()
})
const foldAll = h(
  'button',
  {
    click: () => {
      const all = state.graph.clusters.map(({ id }) => id)
      state.folded = new Set(state.folded.size === 0 ? all : [])
      redraw(false)
    },
  },
  'Fold',
)
const sides =
  data.before === undefined
    ? []
    : [data.before, data.graph].map((graph, i) =>
        h(
          'button',
          {
            class: 'side',
            click: () => {
              state.graph = graph
              state.changes = none
              state.selected = undefined
              redraw(false)
            },
          },
          i === 0 ? 'Before' : 'After',
        ),
      )
byId('tools').append(
  field,
  paint,
  h('span', { id: 'scale' }),
  ...(data.graph.clusters.length === 0 ? [] : [foldAll]),
  ...sides,
  h('button', { click: () => camera.zoom(), 'aria-label': 'Larger' }, '+'),
  h('button', { click: () => camera.zoom(1 / 1.25), 'aria-label': 'Smaller' }, '−'),
  h('button', { click: () => camera.fit() }, 'Fit'),
)
byId('reset').addEventListener('click', () => {
  state.changes = none
  reckon()
})
addEventListener('resize', () => camera.fit())
redraw(false)
