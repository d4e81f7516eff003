import type { TraceAnswer, TraceEvent } from '#src/control/index.js'
import { h, key } from './dom.ts'
import { bytes, clock, count, duration, percent } from './format.ts'

/** Spans of one trace that are drawn. */
const MOST_SPANS = 400

type Span = TraceAnswer['spans'][number]

/** One trace: its spans on the time line, its critical path, and what an event says. */
export class Waterfall {
  readonly element = h('div', { class: 'waterfall' })
  readonly #follow: (record: string) => void

  /** @param follow shows the lineage of a record */
  constructor(follow: (record: string) => void) {
    this.#follow = follow
  }

  clear(text: string): void {
    this.element.replaceChildren(h('p', { class: 'muted' }, text))
  }

  show({ summary, spans, criticalPath }: TraceAnswer): void {
    const { waiting, service, retry, other, totalMs } = criticalPath
    const critical = new Set(criticalPath.spans)
    const facts = h('div', { class: 'span-facts' })
    const rows = spans
      .slice(0, MOST_SPANS)
      .map((span, place) => this.#row(span, summary.durationMs, critical.has(place), facts))
    const shares = (
      [
        ['starved', waiting, 'waiting'],
        ['busy', service, 'service'],
        ['bad', retry, 'retries'],
        ['limited', other, 'other'],
      ] as const
    ).map(([name, share, text]) => {
      const part = h('span', { class: `share ${name}`, title: `${text} ${percent(share)}` })
      part.style.flexGrow = String(share)
      return part
    })
    this.element.replaceChildren(
      h('h3', {}, `Trace ${summary.trace}`),
      h(
        'p',
        { class: 'muted' },
        `${summary.status}, ${clock(summary.startedAt)}, ${duration(summary.durationMs)}, ${count(summary.records)} records, ${bytes(summary.bytes)}${summary.isIncomplete ? ', incomplete' : ''}`,
      ),
      h('div', { class: 'critical', role: 'img', 'aria-label': 'Critical path' }, ...shares),
      h(
        'p',
        { class: 'muted' },
        `Critical path ${duration(totalMs)}: `,
        key('starved', `waiting ${percent(waiting)}`),
        key('busy', `service ${percent(service)}`),
        key('bad', `retries ${percent(retry)}`),
        key('limited', `other ${percent(other)}`),
      ),
      h('div', { class: 'spans' }, ...rows),
      ...(spans.length > MOST_SPANS ? [h('p', { class: 'muted' }, `… and ${spans.length - MOST_SPANS} more.`)] : []),
      facts,
    )
  }

  #row(span: Span, wholeMs: number, isCritical: boolean, facts: HTMLElement): HTMLElement {
    const event = span.event as TraceEvent
    const at = (ms: number): number => (wholeMs === 0 ? 0 : (100 * ms) / wholeMs)
    const bar = (from: number, to: number, name: string): HTMLElement => {
      const part = h('span', { class: `part ${name}` })
      part.style.left = `${at(from)}%`
      part.style.width = `max(1px, ${at(to - from)}%)`
      return part
    }
    const label = h('span', { class: 'span-name' }, `${event.node} · ${event.kind}`)
    label.style.paddingLeft = `${Math.min(10, span.depth) * 10}px`
    return h(
      'button',
      {
        type: 'button',
        class: `span${isCritical ? ' is-critical' : ''}${event.outcome === 'ok' ? '' : ' is-bad'}`,
        'data-node': event.node,
        click: () => this.#tell(span, facts),
      },
      label,
      h(
        'span',
        { class: 'track' },
        bar(span.writtenMs, span.takenMs, 'starved'),
        bar(span.takenMs, span.endMs, 'busy'),
      ),
    )
  }

  #tell(span: Span, facts: HTMLElement): void {
    const event = span.event as TraceEvent
    const { node, worker, epoch, kind, outcome, attempt, error, attributes = {}, content = [] } = event
    const first = event.made ?? event.inputs[0]
    const lines: [string, string][] = [
      ['Where', `${node}, worker ${worker}${epoch > 0 ? `, life ${epoch}` : ''}`],
      ['What', `${kind}, ${outcome}${attempt > 0 ? `, after ${attempt} failed attempts` : ''}`],
      ['Records', `${count(span.taken)} taken, ${count(span.sent)} sent`],
      [
        'Times',
        `${duration(span.waitMs)} on the lane, ${duration(span.serviceMs)} in the handler, ${duration(span.otherMs)} until the hand-off`,
      ],
      ...(error === undefined ? [] : [['Error', `${error.code}: ${error.message}`] as [string, string]]),
      ...Object.entries(attributes).map(([name, value]): [string, string] => [name, String(value)]),
      ...content.map(({ index, json }): [string, string] => [`Record ${index}`, json]),
    ]
    facts.replaceChildren(
      h('dl', {}, ...lines.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
      ...(first === undefined
        ? []
        : [
            h(
              'button',
              { type: 'button', class: 'follow', click: () => this.#follow(`${first.base}:${first.first}`) },
              'Where it came from and went',
            ),
          ]),
    )
  }
}
