import { RESTART_OPTIONS, resolve } from '../options/index.ts'
import { EDGE_FLOATS, NODE_FLOATS, WORKER_FLOATS } from '../memory/counters.ts'
import type { StageDraft } from './stage-draft.ts'
import type { SourcePlan } from './source-plan.ts'

/** The source of injected records, a stage of the system's own: no id of a graph's node begins so in practice. */
export const INJECT = '(inject)'
/** Injected records that may be on their way at once. */
export const INJECTED_RECORDS = 64

const ONE_BY_ONE: SourcePlan = {
  window: INJECTED_RECORDS,
  chunk: 1,
  slots: INJECTED_RECORDS,
  reasonWords: 1_024,
  maxCrashes: 1,
  pollSize: 1,
  pollMs: 0,
}

/** A push source whose records name the node that they are for; an inline node unwraps them. */
export function draftInjection(drafts: readonly StageDraft[], links: { next: number }, restart: object): StageDraft {
  let counters = WORKER_FLOATS
  const take = (count: number): number => (counters += count) - count
  const none = {
    branches: [],
    error: [],
    deadLetter: [],
    retry: [],
  }
  const port = { edge: -1, edges: [], pathType: 'normal' as const }
  const root = {
    ...none,
    node: INJECT,
    kind: 'source' as const,
    counters: take(NODE_FLOATS),
    out: [{ ...port, counters: take(EDGE_FLOATS), node: 1 }],
  }
  const targets = drafts.filter(({ stage }) => stage.kind !== 'source').map(({ stage }) => stage.node)
  const paths = targets.map((to) => ({
    index: links.next++,
    from: INJECT,
    to,
    edges: [],
    selectorEdge: undefined,
    capacity: INJECTED_RECORDS,
    whenFull: 'block' as const,
    dropEdge: undefined,
  }))
  const branches = paths.map(({ to, index }) => ({
    when: to,
    ports: [{ ...port, counters: take(EDGE_FLOATS), link: index }],
  }))
  const unwrap = {
    ...none,
    node: INJECT,
    kind: 'inject' as const,
    counters: take(NODE_FLOATS),
    out: [],
    branches,
  }
  return {
    stage: {
      index: drafts.length,
      node: INJECT,
      role: 'system',
      kind: 'source',
      work: 'push',
      host: 'embedder',
      concurrency: 1,
      seats: 1,
      nodes: [root, unwrap],
      limit: { perSecond: 0, burst: 0, atOnce: 0 },
      source: ONE_BY_ONE,
      restart: resolve(RESTART_OPTIONS, restart),
      resourceLimits: {},
    },
    paths,
    counters,
  }
}
