import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow } from 'millrace'
import { deadlock, simulate, validate } from 'millrace/analysis'
import { toDot, views } from 'millrace/render'

const parsing = dataflow('parsing')
  .cluster('inner', { label: 'Inner' })
  .source('lines', { rate: 100 })
  .transform('parse', { latencyMs: 5, cluster: 'inner' })
  .sink('bad')
  .connect('lines', 'parse')
  .connect('parse', 'bad', { pathType: 'error', ratio: 0.1 })

const whole = dataflow('whole')
  .sink('out', { latencyMs: 1 })
  .embed(parsing, { prefix: 'a/', cluster: 'first' })
  .embed(parsing, { prefix: 'b/', cluster: 'second' })
  .connect('a/parse', 'out')
  .connect('b/parse', 'out')

test('a graph embeds in another under a prefix and a cluster, more than once, and the result is a graph like any other', () => {
  assert.deepEqual(validate(whole), [])
  assert.deepEqual(
    whole.nodes.map(({ id, cluster }) => `${id} ${cluster}`),
    [
      'out undefined',
      'a/lines first',
      'a/parse a/inner',
      'a/bad first',
      'b/lines second',
      'b/parse b/inner',
      'b/bad second',
    ],
  )
  assert.deepEqual(
    whole.clusters.map(({ id, parent }) => `${id} ${parent}`),
    ['first undefined', 'a/inner first', 'second undefined', 'b/inner second'],
  )
})

test('analysis, views and drawing see the whole', () => {
  const found = simulate(whole)
  const into = found.nodes.find(({ id }) => id === 'out')?.in ?? 0
  assert.ok(Math.abs(into - 180) < 1e-9)
  assert.ok(deadlock(whole).safe)
  assert.match(toDot(whole), /subgraph "cluster_first" \{[^]*subgraph "cluster_a\/inner"/)
  assert.equal(views.collapse('first')(whole).nodes.length, 5)
})
