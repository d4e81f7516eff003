import type { IngressJournal } from '../durable/ingress-journal.ts'
import { MillraceError } from '../errors.ts'
import { DURABLE_OPTIONS, resolve } from '../options/index.ts'
import type { Plan } from '../plan/types.ts'
import type { RunOptions } from './run-options.ts'

/** The journal of a durable run. @throws OPTIONS_INVALID, and what `IngressJournal.open` throws */
export async function openJournal(
  { graph, stages }: Plan,
  { durable }: RunOptions,
): Promise<IngressJournal | undefined> {
  if (durable === undefined) return undefined
  const { dir, sync, syncMs, segmentBytes } = resolve(DURABLE_OPTIONS, durable)
  if (dir === undefined) {
    const message = '`durable` has no `dir`.'
    const problem = { code: 'OPTION_TYPE_WRONG', message, fix: 'Name the folder of the ingress journal.' }
    throw new MillraceError('OPTIONS_INVALID', { graph, problems: [problem] })
  }
  // Nobody else needs it.
  const { IngressJournal } = await import('../durable/ingress-journal.ts')
  const pushed = stages.filter(({ host, role, kind }) => host === 'embedder' && role === 'node' && kind === 'source')
  return IngressJournal.open({ dir, graph, nodes: pushed.map(({ node }) => node), sync, syncMs, segmentBytes })
}
