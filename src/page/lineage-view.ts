import type { GraphAnswer, LineageAnswer } from '#src/control/index.js'
import { ApiError, ask } from './api.ts'
import { h } from './dom.ts'
import { clock, duration } from './format.ts'

/** Steps that are listed. */
const MOST_STEPS = 300

type Step = LineageAnswer['steps'][number]

/** What is lit on the graph. */
interface Lit {
  readonly nodes: ReadonlySet<string>
  readonly edges: ReadonlySet<number>
}

/** Where a record came from and what came of it, as a list and as what is lit on the graph. */
export class LineageView {
  readonly element = h('div', { class: 'lineage' })
  readonly #path: string
  readonly #graph: GraphAnswer
  readonly #light: (lit: Lit | undefined) => void

  constructor(pipeline: string, graph: GraphAnswer, light: (lit: Lit | undefined) => void) {
    this.#path = `pipelines/${encodeURIComponent(pipeline)}/lineage`
    this.#graph = graph
    this.#light = light
  }

  clear(): void {
    this.element.replaceChildren()
    this.#light(undefined)
  }

  /** @param record as `BASE:N`, or by its id */
  async show(record: string): Promise<void> {
    const found = (await Promise.all((['up', 'down'] as const).map((dir) => this.#ask(record, dir)))).filter(
      (each) => each !== undefined,
    )
    const steps = new Map<string, Step>()
    for (const each of found)
      for (const step of each.steps) steps.set(`${step.sequence} ${step.record} ${step.fate}`, step)
    const all = [...steps.values()].sort((a, b) => a.at - b.at || a.sequence - b.sequence)
    const edges = new Set(all.flatMap(({ edge }) => (edge === undefined ? [] : [edge])))
    this.#light(withWays(this.#graph, new Set(all.map(({ node }) => node)), edges))
    const isComplete = found.every((each) => each.isComplete)
    this.element.replaceChildren(
      h('h3', {}, `Record ${found[0]?.record ?? record}`),
      table(all.slice(0, MOST_STEPS)),
      ...(all.length > MOST_STEPS ? [h('p', { class: 'muted' }, `… and ${all.length - MOST_STEPS} more.`)] : []),
      ...(isComplete ? [] : [h('p', { class: 'muted' }, 'Records may be missing: events were dropped or truncated.')]),
    )
  }

  async #ask(record: string, dir: 'up' | 'down'): Promise<LineageAnswer | undefined> {
    try {
      return await ask<LineageAnswer>('GET', `${this.#path}/${encodeURIComponent(record)}?dir=${dir}`)
    } catch (error) {
      if (error instanceof ApiError && error.code === 'TRACE_UNKNOWN') return undefined
      throw error
    }
  }
}

function table(steps: readonly Step[]): HTMLElement {
  const titles = ['Node', 'Fate', 'Record', 'At', 'Waited', 'Why']
  return h(
    'div',
    { class: 'scroll' },
    h(
      'table',
      {},
      h('thead', {}, h('tr', {}, ...titles.map((title) => h('th', { scope: 'col' }, title)))),
      h(
        'tbody',
        {},
        ...steps.map(({ node, fate, record, at, waitMs, reason = '' }) =>
          h(
            'tr',
            { class: `fate ${fate}` },
            h('th', { scope: 'row' }, node),
            h('td', {}, fate),
            h('td', {}, record),
            h('td', {}, clock(at)),
            h('td', {}, waitMs === undefined ? '' : duration(waitMs)),
            h('td', { class: 'why' }, reason),
          ),
        ),
      ),
    ),
  )
}

/** Events name the last edge of a way through buffers and conditionals: what lies before it is lit too. */
function withWays({ edges }: GraphAnswer, nodes: ReadonlySet<string>, last: ReadonlySet<number>): Lit {
  const lit = { nodes: new Set(nodes), edges: new Set(last) }
  for (const edge of last) {
    const seen = new Set<string>()
    for (let at = edges[edge]?.from; at !== undefined && !nodes.has(at) && !seen.has(at);) {
      seen.add(at)
      lit.nodes.add(at)
      const into = edges.map(({ to }, index) => (to === at ? index : -1)).filter((index) => index >= 0)
      const next = into.find((index) => nodes.has(edges[index]!.from)) ?? into[0]
      if (next !== undefined) lit.edges.add(next)
      at = next === undefined ? undefined : edges[next]!.from
    }
  }
  return lit
}
