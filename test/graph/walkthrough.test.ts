/** The graphs of the walkthrough: sound, and predicted as worked out by hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { graphSchema } from '../../scripts/print-graph-schema.js'
import { Ajv } from 'ajv'
import { graphToJson, type GraphData, type Simulation } from 'millrace'
import { check, latency, retryLoops, simulate } from 'millrace/analysis'
import etl from '../../examples/walkthrough/1-simple-etl.js'
import iot from '../../examples/walkthrough/2-iot.js'
import deadLetters from '../../examples/walkthrough/3-dead-letters.js'
import microservices from '../../examples/walkthrough/4-microservices.js'
import repaired, { broken } from '../../examples/walkthrough/5-repair.js'

const rateInto = (found: Simulation, id: string): number => found.nodes.find((node) => node.id === id)?.in ?? NaN
const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-6 * expected, `${actual} is not ${expected}`)

test('all of them are sound, safe, and JSON', () => {
  const isValid = new Ajv().compile(graphSchema())
  for (const graph of [etl, iot, deadLetters, microservices, repaired] as GraphData[]) {
    assert.deepEqual(check(graph).problems, [], graph.name)
    assert.ok(check(graph).deadlock.safe, graph.name)
    assert.ok(isValid(JSON.parse(JSON.stringify(graphToJson(graph)))), graph.name)
  }
})

test('simple ETL: the enricher lets 12.5 records/s through, in 105 ms', () => {
  const found = simulate(etl)
  near(found.throughput, 12.5)
  assert.equal(found.bottleneck?.node, 'enricher')
  assert.equal(latency(etl).critical?.criticalMs, 105)
  // The parser passes 40/s on, 27.5/s more than leave: 50,000 records are there after half an hour.
  near(found.buffers[0]?.timeToFullS ?? 0, 50_000 / 27.5)
})

test('IoT: the aggregator lets 5 records/s of 10,000 through, in 250 ms', () => {
  const found = simulate(iot)
  near(found.throughput, 5)
  assert.equal(found.bottleneck?.node, 'aggregator')
  assert.equal(latency(iot).critical?.criticalMs, 250)
})

test('retry with dead letters: the processor limits, and the loop turns 8 % of its records once more', () => {
  const found = simulate(deadLetters)
  // Of a record at the router 0.1 × 0.8 = 8 % come back, so it takes 1 / 0.92 of what enters, and 90 % of that go on.
  near(found.throughput, (480 / 0.9) * 0.92)
  assert.equal(found.bottleneck?.node, 'processor')
  near(rateInto(found, 'alerting'), (480 / 0.9) * 0.1 * 0.2)
  near(retryLoops(deadLetters)[0]?.gain ?? 0, 0.08)
})

test('microservices: payment lets 5 orders/s through, each notified once by each way, in 525 ms', () => {
  const found = simulate(microservices)
  near(found.throughput, 5)
  assert.equal(found.bottleneck?.node, 'payment')
  near(rateInto(found, 'order_db'), 5)
  near(rateInto(found, 'sendgrid'), 10)
  assert.equal(latency(microservices).critical?.criticalMs, 525)
})

test('the broken graph names its holes, and the mended one has none', () => {
  const problems = check(broken).problems.map(({ code, node }) => `${code} ${node}`)
  assert.deepEqual(problems, [
    'DEAD_END ingress',
    'DEAD_END worker',
    'NODE_UNREACHABLE db',
    'NODE_UNREACHABLE orphan_processor',
    'DEAD_END orphan_processor',
    'NODE_UNREACHABLE never_reached',
  ])
  assert.deepEqual(check(broken).structure.orphans, ['db', 'orphan_processor', 'never_reached'])
})
