import type { Damage } from '../trace/store/recording.ts'
import type { TraceStore } from '../trace/store/store.ts'

/** What a store holds. */
export interface StoreSummary {
  readonly runs: readonly {
    readonly pipeline: string
    readonly run: string
    readonly startedAt: number
    readonly endedAt: number
    readonly nodes: number
    readonly events: number
    readonly traces: number
  }[]
  /** Of segments and recordings: bytes behind the last part that is whole, and parts that are damaged. */
  readonly tornBytes: number
  readonly damagedBlocks: number
}

const NONE: Damage = { tornBytes: 0, damagedBlocks: 0 }

export async function storeSummaryOf(store: TraceStore): Promise<StoreSummary> {
  const found = new Map<
    string,
    { pipeline: string; startedAt: number; endedAt: number; events: number; nodes: Set<string>; traces: Set<string> }
  >()
  for await (const block of store.read())
    for (const { run, pipeline, takenAt, handedOffAt, node, traces } of block) {
      const known = found.get(run) ?? {
        pipeline,
        startedAt: takenAt,
        endedAt: 0,
        events: 0,
        nodes: new Set(),
        traces: new Set(),
      }
      found.set(run, known)
      known.startedAt = Math.min(known.startedAt, takenAt)
      known.endedAt = Math.max(known.endedAt, handedOffAt)
      known.events++
      known.nodes.add(node)
      for (const trace of traces) known.traces.add(trace)
    }
  const runs = [...found].map(([run, { nodes, traces, ...rest }]) => ({
    run,
    ...rest,
    nodes: nodes.size,
    traces: traces.size,
  }))
  const { tornBytes, damagedBlocks } = 'damage' in store ? (store as { damage: Damage }).damage : NONE
  return { runs: runs.sort((a, b) => a.startedAt - b.startedAt), tornBytes, damagedBlocks }
}
