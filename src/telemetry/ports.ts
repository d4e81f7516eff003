import type { NodePlan, PortPlan } from '../plan/types.ts'

/** The ports of a node, each once: a buffer or merge passes all edges on, whatever they are for. */
export function portsOf({ out, branches, error, deadLetter, retry }: NodePlan): readonly PortPlan[] {
  return [...new Set([...out, ...branches.flatMap(({ ports }) => ports), ...error, ...deadLetter, ...retry])]
}
