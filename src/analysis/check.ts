import type { GraphData } from '../graph/types.ts'
import { drift, type Drift } from './live/drift.ts'
import { deadlock, type Deadlock } from './loops/deadlock.ts'
import { problem, quote } from './problems.ts'
import { structure, type Structure } from './structure.ts'
import type { Measurements, Problem } from './types.ts'
import { soundEntries, validate } from './validate.ts'

/** What `check` looks with. */
export interface CheckOptions {
  /** Where given, what the graph declares is held against what was measured. */
  readonly measurements?: Measurements
  /** How far a declared figure may be off, as a share. Default: 0.1. */
  readonly tolerance?: number
}

/** All that can be said of a graph before it runs. */
export interface Check {
  /** What `validate` reports, then loops that may block, then figures that drifted. */
  readonly problems: readonly Problem[]
  readonly structure: Structure
  readonly deadlock: Deadlock
  readonly drift: readonly Drift[]
}

/** Validation, structure, loops and drift in one answer. */
export function check(graph: GraphData, { measurements, tolerance = 0.1 }: CheckOptions = {}): Check {
  // What is wrong in an entry is reported; the rest is looked at without it.
  const sound = soundEntries(graph)
  const loops = deadlock(sound)
  const drifted = measurements === undefined ? [] : drift(sound, measurements, { tolerance })
  return {
    problems: [
      ...validate(graph),
      ...loopProblems(loops),
      ...drifted.filter(({ exceeds }) => exceeds).map((each) => driftProblem(sound, each)),
    ],
    structure: structure(sound),
    deadlock: loops,
    drift: drifted,
  }
}

function loopProblems({ loops }: Deadlock): Problem[] {
  return loops
    .filter(({ safe }) => !safe)
    .map(({ cycle, why, enlarge }) => {
      const way = [...cycle.nodes, cycle.nodes[0]].map(quote).join(' → ')
      const place = enlarge === undefined ? {} : { edge: enlarge.edge }
      return problem('LOOP_MAY_BLOCK', `The loop ${way} may block itself. ${why}`, place)
    })
}

function driftProblem(graph: GraphData, { node, edge, figure, declared, measured }: Drift): Problem {
  const ends = edge === undefined ? undefined : graph.edges[edge]
  const title = ends === undefined ? `Node ${quote(node)}` : `Edge ${quote(ends.from)} → ${quote(ends.to)}`
  const message = `${title} declares \`${figure}\` ${rounded(declared)}, and ${rounded(measured)} was measured.`
  return problem('DECLARED_DRIFTED', message, {
    ...(node === undefined ? {} : { node }),
    ...(edge === undefined ? {} : { edge }),
    option: figure,
  })
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(4)))
}
