/** Keys are spread over so many virtual partitions, and these over the workers. */
export const PARTITIONS = 1024

/**
 * The worker of each partition. One worker more takes its share from those that have most, and moves nothing else: of n + 1
 * workers, n keep what they keep, and one key in n + 1 moves.
 */
export function partitionOwners(workers: number): Uint16Array {
  const owners = new Uint16Array(PARTITIONS)
  const owned = [Array.from({ length: PARTITIONS }, (_, partition) => partition)]
  for (let worker = 1; worker < workers; worker++) {
    const own: number[] = []
    for (let share = Math.floor(PARTITIONS / (worker + 1)); share > 0; share--) {
      const richest = owned.reduce((most, each) => (each.length > most.length ? each : most))
      own.push(richest.pop()!)
    }
    owned.push(own)
  }
  owned.forEach((partitions, worker) => partitions.forEach((partition) => (owners[partition] = worker)))
  return owners
}

/** The virtual partition of a key: FNV-1a over the characters of its text, so that every worker and every run agrees. */
export function partitionOfKey(key: string | number): number {
  const text = typeof key === 'string' ? key : String(key)
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 15)) & (PARTITIONS - 1)
}

/** The partitions that change their worker where a stage gets another number of workers. */
export function movedPartitions(before: number, after: number): { readonly from: number; readonly to: number }[] {
  const owners = partitionOwners(after)
  return Array.from(partitionOwners(before), (from, partition) => ({ from, to: owners[partition]! })).filter(
    ({ from, to }) => from !== to,
  )
}
