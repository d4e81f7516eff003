/** Measurements for tests: as a run would give them that goes exactly as predicted. */
import { isStage, resolveNode } from '#src/graph/resolve.js'
import { modelOf } from '#src/analysis/flow/model.js'
import type { GraphData, Measurements, NodeMeasurement } from 'millrace'
import { simulate } from '#src/analysis/flow/simulate.js'

const IDLE: NodeMeasurement = {
  workers: 1,
  in: 0,
  out: 0,
  done: 0,
  filtered: 0,
  failed: 0,
  deadLettered: 0,
  dropped: 0,
  retried: 0,
  inFlight: 0,
  busy: 0,
  starved: 0,
  blocked: 0,
  limited: 0,
  serviceMs: 0,
  p50Ms: 0,
  p99Ms: 0,
}

/** `nodes` replaces what single nodes measured, `edges` what single edges did. */
export function measured(
  graph: GraphData,
  changes: { nodes?: Record<string, Partial<NodeMeasurement>>; edges?: Record<number, object> } = {},
  seconds = 10,
): Measurements {
  const found = simulate(graph)
  const { services } = modelOf(graph)
  return {
    seconds,
    nodes: Object.fromEntries(
      found.nodes
        .filter(({ kind }) => isStage(kind))
        .map((node) => {
          const index = graph.nodes.findIndex(({ id }) => id === node.id)
          const ms = services[index]?.serviceMs ?? 0
          const counts: NodeMeasurement = {
            ...IDLE,
            workers: resolveNode(graph.nodes[index]!).workers,
            in: node.in * seconds,
            out: node.out * seconds,
            done: node.in * seconds,
            busy: node.utilisation,
            serviceMs: ms,
            p50Ms: ms,
            p99Ms: ms,
          }
          return [node.id, { ...counts, ...changes.nodes?.[node.id] }]
        }),
    ),
    edges: found.edges.map(({ index, rate }) =>
      Object.assign(
        { index, records: rate * seconds, dropped: 0, queued: 0, capacity: 4_096, blockedShare: 0 },
        changes.edges?.[index],
      ),
    ),
  }
}

type Shares = Partial<Pick<NodeMeasurement, 'busy' | 'blocked' | 'limited'>>

/**
 * Measurements by hand: what each stage's time goes into (the rest it starves), and for which share of it a stage waits on an
 * edge, by `from > to`; the lane behind such an edge is full, the others are empty. `queued` says otherwise.
 */
export function byHand(
  graph: GraphData,
  nodes: Readonly<Record<string, Shares>>,
  waits: Readonly<Record<string, number>> = {},
  queued: Readonly<Record<string, number>> = {},
): Measurements {
  return {
    seconds: 10,
    nodes: Object.fromEntries(
      graph.nodes
        .filter(({ kind }) => isStage(kind))
        .map(({ id }) => {
          const { busy = 0, blocked = 0, limited = 0 } = nodes[id] ?? {}
          return [id, { ...IDLE, in: 100, done: 100, busy, blocked, limited, starved: 1 - busy - blocked - limited }]
        }),
    ),
    edges: graph.edges.map(({ from, to }, index) => {
      const name = `${from} > ${to}`
      const blockedShare = waits[name] ?? 0
      return {
        index,
        records: 100,
        dropped: 0,
        queued: queued[name] ?? (blockedShare > 0 ? 100 : 0),
        capacity: 100,
        blockedShare,
      }
    }),
  }
}
