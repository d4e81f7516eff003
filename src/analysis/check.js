import { drift } from './live/drift.js'
import { deadlock } from './loops/deadlock.js'
import { problem, quote } from './problems.js'
import { structure } from './structure.js'
import { soundEntries, validate } from './validate.js'
/** Validation, structure, loops and drift in one answer. */
export function check(graph, { measurements, tolerance = 0.1 } = {}) {
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
function loopProblems({ loops }) {
  return loops
    .filter(({ safe }) => !safe)
    .map(({ cycle, why, enlarge }) => {
      const way = [...cycle.nodes, cycle.nodes[0]].map(quote).join(' → ')
      const place = enlarge === undefined ? {} : { edge: enlarge.edge }
      return problem('LOOP_MAY_BLOCK', `The loop ${way} may block itself. ${why}`, place)
    })
}
function driftProblem(graph, { node, edge, figure, declared, measured }) {
  const ends = edge === undefined ? undefined : graph.edges[edge]
  const title = ends === undefined ? `Node ${quote(node)}` : `Edge ${quote(ends.from)} → ${quote(ends.to)}`
  const message = `${title} declares \`${figure}\` ${rounded(declared)}, and ${rounded(measured)} was measured.`
  return problem('DECLARED_DRIFTED', message, {
    ...(node === undefined ? {} : { node }),
    ...(edge === undefined ? {} : { edge }),
    option: figure,
  })
}
function rounded(value) {
  return String(Number(value.toPrecision(4)))
}
