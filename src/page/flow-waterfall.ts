import type { RequestAnswer } from '#src/flow-server/index.js'
import { h, key } from './dom.ts'
import type { StepBar } from './flow-steps.ts'
import { duration } from './format.ts'

/** Steps of one request that are drawn. */
const MOST_STEPS = 400

/** What the steps of a request did, on its time line: how long each waited, was tried again, and ran. */
export function flowWaterfall({ steps, createdAt, endedAt }: RequestAnswer, bars: readonly StepBar[]): HTMLElement {
  if (steps === undefined)
    return h(
      'p',
      { class: 'muted' },
      'The flow does not keep its steps. Give it the setting keepSteps to see them here.',
    )
  const last = bars.reduce((latest, { endMs }) => Math.max(latest, endMs), 0)
  const wholeMs = Math.max(last, endedAt === undefined ? 0 : Date.parse(endedAt) - Date.parse(createdAt))
  return h(
    'div',
    { class: 'waterfall' },
    h(
      'p',
      { class: 'muted' },
      `${duration(wholeMs)} in all: `,
      key('starved', 'waits'),
      key('limited', 'earlier attempts'),
      key('busy', 'runs'),
      key('bad', 'failed'),
    ),
    h('div', { class: 'spans' }, ...bars.slice(0, MOST_STEPS).map((bar) => row(bar, wholeMs))),
    bars.length > MOST_STEPS ? h('p', { class: 'muted' }, `… and ${bars.length - MOST_STEPS} more.`) : undefined,
  )
}

function row(bar: StepBar, wholeMs: number): HTMLElement {
  const { label, state, attempts, readyMs, startMs, endMs, error, isBefore } = bar
  const at = (ms: number): number => (wholeMs === 0 ? 0 : (100 * ms) / wholeMs)
  const part = (from: number, to: number, name: string): HTMLElement => {
    const element = h('span', { class: `part ${name}` })
    element.style.left = `${at(from)}%`
    element.style.width = `max(1px, ${at(to - from)}%)`
    return element
  }
  const isBad = state === 'failed' || state === 'undoFailed'
  const facts = [
    isBefore ? 'done by the request that this one replays' : duration(endMs - startMs),
    ...(attempts > 1 ? [`${attempts} attempts`] : []),
    ...(state === 'done' ? [] : [state === 'undoFailed' ? 'not undone' : state]),
    ...(error === undefined ? [] : [error]),
  ].join(', ')
  const bars = isBefore
    ? []
    : [part(readyMs, startMs, attempts > 1 ? 'limited' : 'starved'), part(startMs, endMs, isBad ? 'bad' : 'busy')]
  return h(
    'div',
    { class: `span${isBad ? ' is-bad' : ''}`, 'data-step': label, title: `${label}: ${facts}` },
    h('span', { class: 'span-name' }, label),
    h('span', { class: 'track' }, ...bars, h('span', { class: 'track-text' }, facts)),
  )
}
