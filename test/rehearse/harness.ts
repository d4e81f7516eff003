import { availableParallelism, cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { type GraphData, measurements, rehearse, type Rehearsal } from 'millrace'
import { compare, forecast, overheadOf } from 'millrace/analysis'

export interface Played {
  readonly rehearsal: Rehearsal
  /** Cores that this process could have had while it was measured: all of them, or, where others took some, those it got. */
  readonly cores: number
  /** Cores that others used. */
  readonly others: number
}

/** Cores that others may use before they count as taken. */
const QUIET = 0.1

/** Rehearses a graph, and compares what the second part of the time measured. */
export async function play(graph: GraphData, seconds: number, fromSeconds: number): Promise<Played> {
  const pipeline = await rehearse(graph, { deadlineMs: 2_000 })
  // Before, its code is still being compiled.
  await sleep(500 * fromSeconds)
  const warm = pipeline.snapshot()
  await sleep(500 * fromSeconds)
  const from = pipeline.snapshot()
  // What the runtime takes for each record here and now; the prediction reckons with it.
  const overheadMs = overheadOf(graph, measurements(pipeline.plan, from, warm))
  const before = coreTimes()
  await sleep(1000 * (seconds - fromSeconds))
  const to = pipeline.snapshot()
  const after = coreTimes()
  await pipeline.stop()
  const span = { seconds: to.elapsedMs / 1000, fromSeconds: from.elapsedMs / 1000 }
  const perSecond = 1 / (span.seconds - span.fromSeconds)
  const own = (after.ownS - before.ownS) * perSecond
  const others = (after.busyS - before.busyS) * perSecond - own
  // What waits has the cores that it asks for, whatever others do.
  const burns = graph.nodes.some(({ cpu }) => cpu === true)
  const cores = !burns || others < QUIET ? availableParallelism() : Math.min(availableParallelism(), own)
  const predicted = forecast(graph, { ...span, cores, overheadMs })
  return { rehearsal: compare(graph, predicted, measurements(pipeline.plan, to, from)), cores, others }
}

function coreTimes(): { busyS: number; ownS: number } {
  const { user, system } = process.cpuUsage()
  const busy = cpus().reduce((sum, { times }) => sum + times.user + times.sys + times.nice + times.irq, 0)
  return { busyS: busy / 1000, ownS: (user + system) / 1e6 }
}
