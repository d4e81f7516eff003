/** Objectives, and what is proposed to keep them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow } from 'millrace'
import { type Measurements, objectives, proposals, proposed, simulate } from 'millrace/analysis'

const line = (rate: number, workers = 1) =>
  dataflow('line')
    .source('in', { rate })
    .transform('work', { latencyMs: 10, concurrency: workers })
    .sink('out', { latencyMs: 1 })
    .connect('in', 'work')
    .connect('work', 'out')

const p99 = (bound: number) => [{ figure: 'p99', bound } as const]

const value = (rate: number, figure: 'p50' | 'p99' | 'p999'): number =>
  objectives(line(rate), [{ figure, bound: 1 }])[0]!.value!

test('throughput is what the simulation says, and times are those of the slowest way', () => {
  const [rate, time] = objectives(line(50), [{ figure: 'throughput', bound: 50 }, ...p99(1_000)])
  assert.deepEqual(rate, { figure: 'throughput', bound: 50, value: 50, isKept: true })
  assert.deepEqual([time!.sink, time!.path, time!.isKept], ['out', ['in', 'work', 'out'], true])
  assert.ok(time!.value! >= 11, 'no record is faster than its service')
})

test('a higher percentile is a longer time, and so is that of a fuller graph', () => {
  assert.ok(value(90, 'p50') < value(90, 'p99') && value(90, 'p99') < value(90, 'p999'))
  assert.ok(value(50, 'p99') < value(90, 'p99') && value(90, 'p99') < value(500, 'p99'))
})

test('workers are proposed until nothing is full, and the objective holds with them', () => {
  const graph = line(450)
  assert.equal(objectives(graph, p99(200))[0]!.isKept, false)
  const found = proposals(graph, p99(200))
  assert.deepEqual(
    found.map(({ node, option, before }) => [node, option, before]),
    [['work', 'concurrency', 1]],
  )
  const better = proposed(graph, found)
  assert.equal(objectives(better, p99(200))[0]!.isKept, true)
  assert.equal(simulate(better).throughput, 450)
})

test('nothing is proposed where all is well, and nothing that does not help', () => {
  assert.deepEqual(proposals(line(50), p99(1_000)), [])
  const limited = dataflow('limited').source('in', { rate: 100, rateLimit: 10 }).sink('out').connect('in', 'out')
  assert.deepEqual(proposals(limited, [{ figure: 'throughput', bound: 100 }]), [])
})

test('what was measured is proposed in place of what is declared, and its 99th percentiles and errors count', () => {
  const none = { filtered: 0, deadLettered: 0, dropped: 0, retried: 0, inFlight: 0, starved: 0, blocked: 0, limited: 0 }
  const node = {
    ...none,
    workers: 1,
    in: 1_000,
    done: 1_000,
    out: 1_000,
    failed: 0,
    busy: 0.2,
    serviceMs: 0,
    p50Ms: 0,
    p99Ms: 0,
  }
  const measurements: Measurements = {
    seconds: 20,
    nodes: { in: node, work: { ...node, failed: 10, busy: 0.999, serviceMs: 19, p50Ms: 19, p99Ms: 90 }, out: node },
    edges: [0, 1].map((index) => ({ index, records: 1_000, dropped: 0, queued: 0, capacity: 100, blockedShare: 0 })),
  }
  const [errors, time] = objectives(line(50), [{ figure: 'errors', bound: 0.005 }, ...p99(60)], { measurements })
  assert.deepEqual([errors!.value, errors!.isKept], [0.01, false])
  assert.ok(time!.value! > 90, 'the slow call counts')
  assert.equal(objectives(line(50), [{ figure: 'errors', bound: 1 }])[0]!.value, undefined)
  const drifted = proposals(line(50), [], { measurements }).find(({ option }) => option === 'latencyMs')
  assert.deepEqual([drifted!.node, drifted!.before], ['work', 10])
  assert.ok(Math.abs(drifted!.after - 19) < 1)
})

test('a loop that may block is given room', () => {
  const graph = dataflow('loop')
    .source('in', { rate: 100, window: 5_000 })
    .transform('work', {})
    .buffer('again', { capacity: 10 })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
    .connect('work', 'again', { when: 'again', ratio: 0.1, pathType: 'retry' })
    .connect('again', 'work', { pathType: 'retry' })
  const found = proposals(graph)
  const room = found.find(({ option }) => option === 'capacity')!
  assert.deepEqual([room.node, room.before], ['again', 10])
  assert.ok(room.after >= 5_000)
  assert.deepEqual(
    proposals(proposed(graph, found)).filter(({ option }) => option === 'capacity'),
    [],
  )
})
