import type { NodePlan, StagePlan } from '../../plan/types.ts'

/**
 * Links on which a record is the only one that came of its input: the first edge of each node that gives one for one, and
 * so on through conditionals. Copies to further edges get ids of their own; so does all that comes by a node to which
 * several edges lead, for copies of one record may meet again there.
 */
export function linksThatKeepIds(stage: StagePlan): ReadonlySet<number> {
  const found = new Set<number>()
  const ports = stage.nodes.flatMap(({ out, branches, error, deadLetter, retry }) =>
    [out, ...branches.map((branch) => branch.ports), error, deadLetter, retry].flat(),
  )
  const visit = (node: NodePlan, work: string): void => {
    if (work === 'flatMap' || work === 'mapBatch') return
    for (const [port] of [
      node.out,
      ...node.branches.filter(() => node.kind === 'conditional').map((branch) => branch.ports),
    ]) {
      if (port?.link !== undefined) found.add(port.link)
      else if (port !== undefined && ports.filter((other) => other.node === port.node).length === 1)
        visit(stage.nodes[port.node!]!, stage.nodes[port.node!]!.work ?? 'map')
    }
  }
  if (stage.input?.batch === undefined || stage.work === 'mapEach') visit(stage.nodes[0]!, stage.work)
  return found
}
