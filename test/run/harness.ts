import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type GraphData, type Pipeline, type Report, type RunOptions, run } from 'millrace'

/** Runs a graph to its end and collects what its outputs give, by node. */
export async function collect(
  graph: GraphData,
  options: RunOptions = {},
): Promise<{ outputs: Record<string, unknown[]>; report: Report; pipeline: Pipeline }> {
  const pipeline = await run(graph, options)
  const sinks = graph.nodes.filter(({ kind, write }) => kind === 'sink' && write === undefined)
  const entries = sinks.map(async ({ id }) => {
    const records: unknown[] = []
    for await (const record of pipeline.output(id)) records.push(record)
    return [id, records] as const
  })
  const report = await pipeline.finished
  const left = Object.entries(report.nodes).filter(([, { inFlight }]) => inFlight !== 0)
  assert.deepEqual(left, [], 'a pipeline that has finished has nothing in flight')
  const outputs = Object.fromEntries(await Promise.all(entries))
  assertConserved(pipeline)
  return { outputs, report, pipeline }
}

/** Waits until `holds`, looking so often, for at most a minute. */
export async function until(holds: () => boolean, what: string, everyMs = 10): Promise<void> {
  for (const start = performance.now(); !holds();) {
    assert.ok(performance.now() - start < 60_000, `in time: ${what}`)
    await sleep(everyMs)
  }
}

/** Nothing is lost and nothing is made up: at every node, and on every edge. */
export function assertConserved(pipeline: Pipeline): void {
  const { nodes, edges } = pipeline.snapshot()
  for (const [id, counts] of Object.entries(nodes)) {
    const { in: taken, done, filtered, failed, deadLettered, inFlight, injected } = counts
    assert.equal(taken, done + filtered + failed + deadLettered + inFlight, `node ${id} keeps its account`)
    assert.ok(inFlight >= 0, `node ${id} has ${inFlight} in flight`)
    const sent = edges.filter(({ to }) => to === id)
    if (sent.length === 0) continue
    const arrived = sent.reduce((sum, { records, queued }) => sum + records - queued, injected)
    const dropped = pipeline.plan.stages.some(({ node }) => node === id) ? taken : arrived
    assert.equal(arrived, dropped, `what was sent to ${id} and is not on the way has arrived`)
  }
}
