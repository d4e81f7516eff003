import type { JobData } from './job.ts'

/** Files without limits are read so many at a time, where there are as many connections. */
const FREE_STRANDS = 3
/** A place to go on is kept for each. */
const LIMITED_STRANDS = 16

/**
 * Files that are read one after the other, as indexes of the job. Strands are read beside each other: one that waits for a limit of a kind
 * or a tenant keeps nobody else.
 */
export function strandsOf({ files, kinds, tenantLimits, connections }: JobData): readonly (readonly number[])[] {
  const most = Math.min(FREE_STRANDS, connections)
  const places = new Map<string, number>()
  const strands = new Map<string, number[]>()
  let free = 0
  for (const [index, { kind, tenant }] of files.entries()) {
    const limit = limitOf(
      kinds[kind]?.limits === undefined ? undefined : kind,
      tenantLimits === undefined ? undefined : tenant,
    )
    if (limit !== undefined && !places.has(limit)) places.set(limit, places.size % LIMITED_STRANDS)
    const name = limit === undefined ? `free ${free++ % most}` : `limited ${places.get(limit)}`
    const strand = strands.get(name) ?? []
    strand.push(index)
    strands.set(name, strand)
  }
  return [...strands.values()]
}

function limitOf(kind: string | undefined, tenant: string | undefined): string | undefined {
  return kind === undefined && tenant === undefined ? undefined : JSON.stringify([kind, tenant])
}
