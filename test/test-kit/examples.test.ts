/** The examples of the walkthrough, on one thread: what comes out does not depend on the order of things, nor on crashes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GraphData } from 'millrace'
import { inline } from 'millrace/test'
import etl from '../../examples/walkthrough/run/1-simple-etl.ts'
import iot from '../../examples/walkthrough/run/2-iot.ts'
import letters from '../../examples/walkthrough/run/3-dead-letters.ts'

async function cameOut(graph: GraphData, options: object): Promise<{ text: string; crashes: number }> {
  const { outputs, report, crashes } = await inline(graph, options)
  const records = Object.entries(outputs).map(([node, all]) => [node, all.map(withoutTimes).sort()])
  return { text: JSON.stringify([records, report.acked, report.failed, report.deadLettered]), crashes }
}

/** When a record failed, and where in the code, depends on the order of things. */
function withoutTimes(record: unknown): string {
  return JSON.stringify(record, (key, value: unknown) => (/At$|^stack$/.test(key) ? undefined : value))
}

for (const graph of [etl, iot, letters] as readonly GraphData[]) {
  test(`${graph.name}: with and without crashes, the same comes out`, async () => {
    const whole = await cameOut(graph, {})
    let crashes = 0
    for (const seed of [2, 3]) {
      const other = await cameOut(graph, { seed, crashShare: 0.02 })
      assert.equal(other.text, whole.text, `seed ${seed}`)
      crashes += other.crashes
    }
    assert.ok(crashes > 0)
  })
}
