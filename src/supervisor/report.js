import { readSnapshot } from '../telemetry/snapshot.js'
export function reportOf(memory, plan, startedAtMs, { outcome, deadlinePassed }) {
  const { nodes, elapsedMs } = readSnapshot(memory, plan, startedAtMs)
  const sources = plan.stages
    .filter(({ kind, isHidden }) => kind === 'source' && !isHidden)
    .map(({ node }) => nodes[node])
  const sum = (of, counts = sources) => counts.reduce((total, each) => total + of(each), 0)
  return {
    outcome,
    acked: sum(({ done }) => done),
    failed: sum(({ failed }) => failed),
    deadLettered: sum(({ deadLettered }) => deadLettered, Object.values(nodes)),
    abandoned: sum(({ inFlight }) => inFlight),
    deadlinePassed,
    seconds: elapsedMs / 1000,
    nodes,
  }
}
