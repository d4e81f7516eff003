/** Plays one graph to its end, or until it stands still. */
import type { GraphData } from 'millrace/graph'
import { plan as makePlan } from '#src/plan/plan.js'
import { Random } from '#src/test-kit/random.js'
import { NetPipeline, type Wishes } from './net-pipeline.ts'
import { share } from '#src/test-kit/life.js'
import { VirtualClock } from '#src/test-kit/virtual-clock.js'

export interface Played {
  /** What came out, by output. */
  readonly out: ReadonlyMap<string, readonly unknown[]>
  readonly faults: readonly string[]
  readonly pipeline: NetPipeline
  /** Virtual time from the start to the end. */
  readonly tookMs: number
}

/** For handlers of a graph: an answer that comes when the scheduler says so. */
export type Later = <T>(act: () => T) => Promise<T>

export async function play(
  graphOf: (later: Later) => GraphData,
  options: { run?: object; seed?: number } & Partial<Wishes> = {},
): Promise<Played> {
  const { run = {}, seed = 1, ...wishes } = options
  const chances = new Random(seed)
  const clock = new VirtualClock()
  clock.begin(() => chances.next())
  const out = new Map<string, unknown[]>()
  const faults: string[] = []
  // oxlint-disable-next-line prefer-const -- handlers call it, and it needs them
  let pipeline: NetPipeline | undefined
  const graph = graphOf((act) => pipeline!.later(act))
  const plan = { ...makePlan(graph, { maxRecordBytes: 65_536, ...run, inject: false }), rehearse: false }
  const output = (node: string, record: unknown): void => {
    const known = out.get(node)
    if (known === undefined) out.set(node, [record])
    else known.push(record)
  }
  const shared = await share(plan, graph, { listener: { output }, params: undefined })
  const usual = { deathShare: 0, maxDeaths: 0, drainAfter: Infinity, leapMs: 0, maxSteps: 1_000_000 }
  pipeline = new NetPipeline(
    shared,
    { random: new Random(seed), clock, ...usual, ...wishes },
    (what) => void faults.push(what),
  )
  const start = clock.now
  try {
    await pipeline.run()
  } finally {
    clock.end()
  }
  return { out, faults, pipeline, tookMs: clock.now - start }
}
