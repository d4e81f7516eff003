import { SegmentStore } from '../trace/store/segments/segment-store.ts'
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
  /** Of segments: bytes behind the last block that is whole, and blocks that are damaged. */
  readonly tornBytes: number
  readonly damagedBlocks: number
}

export async function summaryOf(store: TraceStore): Promise<StoreSummary> {
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
  const { tornBytes, damagedBlocks } = store instanceof SegmentStore ? store.damage : { tornBytes: 0, damagedBlocks: 0 }
  return { runs: runs.sort((a, b) => a.startedAt - b.startedAt), tornBytes, damagedBlocks }
}
