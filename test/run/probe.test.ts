import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MillraceError, type Pipeline, type PipelineEvent, run } from 'millrace'
import { until } from './harness.js'
import * as graphs from './probe-graphs.js'

/** Both stages work, and the lanes before the slow one are full. */
async function flowing(): Promise<Pipeline> {
  const pipeline = await run(graphs.row)
  await until(() => pipeline.snapshot().stages['quick']!.blocked > 0.1, 'the slow stage holds the others up')
  return pipeline
}

test('a probe shows what a quicker stage would bring: all of it at the one that limits, nothing at another', async (t) => {
  const pipeline = await flowing()
  const events: PipelineEvent[] = []
  pipeline.events.on('stage.probed', (event) => events.push(event))
  const slow = await pipeline.probe('slow', { speedup: 0.4 })
  const quick = await pipeline.probe('quick', { speedup: 0.4 })
  t.diagnostic(JSON.stringify({ slow, quick }))
  assert.ok(slow.measured > 1.3, `${slow.measured}, and 1.67 is meant`)
  assert.ok(Math.abs(slow.predicted - 1 / 0.6) < 0.01, `${slow.predicted} was predicted`)
  assert.ok(quick.measured < 1.3, `${quick.measured}, and 1 is meant`)
  assert.ok(Math.abs(quick.predicted - 1) < 0.01, `${quick.predicted} was predicted`)
  assert.deepEqual(
    events.map(({ node, measured }) => ({ node, measured })),
    [slow, quick].map(({ node, measured }) => ({ node, measured })),
  )
  await pipeline.stop()
})

test('what is asked of a running pipeline is answered by what was measured, and a resize brings it', async (t) => {
  const pipeline = await flowing()
  const { throughput, before, after } = await pipeline.whatIf({ nodes: { slow: { concurrency: 2 } } })
  t.diagnostic(JSON.stringify(throughput))
  assert.equal(before.bottleneck?.node, 'slow')
  assert.equal(after.bottleneck?.node, 'slow')
  assert.ok(Math.abs(throughput.factor - 2) < 0.01)
  await pipeline.resize('slow', 2)
  const sent = (): number => pipeline.snapshot().nodes['slow']!.done
  const from = { sent: sent(), at: performance.now() }
  await until(() => sent() - from.sent > 200, 'records go through')
  const rate = (sent() - from.sent) / ((performance.now() - from.at) / 1_000)
  t.diagnostic(`${rate} records/s`)
  // How much exactly it brings, the rest of the machine has a say in.
  assert.ok(rate > 1.3 * throughput.before, `${rate} records/s, and ${throughput.after} were predicted`)
  await pipeline.stop()
})

const refused = (reason: RegExp) => (error: MillraceError) => {
  assert.equal(error.code, 'PROBE_REFUSED')
  assert.match(error.message, reason)
  return true
}

test('a probe that can tell nothing is refused', async () => {
  const idle = await run(graphs.idle)
  await assert.rejects(idle.probe('out', { seconds: 0.2 }), refused(/no source waits/))
  await assert.rejects(idle.probe('nobody'), { code: 'NODE_UNKNOWN' })
  for (const options of [
    { speedup: 0 },
    { speedup: 1 },
    { speedup: NaN },
    { seconds: 0 },
    { often: 2 },
    { speedup: '1' },
  ])
    await assert.rejects(idle.probe('out', options as never), { code: 'OPTIONS_INVALID' })
  await assert.rejects(idle.whatIf({}, { seconds: -1 }), { code: 'OPTIONS_INVALID' })
  await assert.rejects(idle.whatIf({ nodes: { nobody: {} } }, { seconds: 0.05 }), { code: 'NODE_UNKNOWN' })
  await idle.stop()
  await assert.rejects(idle.probe('out'), refused(/not running/))
  const pipeline = await flowing()
  const first = assert.rejects(pipeline.probe('slow'), refused(/the pipeline ended/))
  await assert.rejects(pipeline.probe('quick'), refused(/another probe/))
  await pipeline.stop()
  await first
})
