/** What stands before and behind the tracer: bounded queues, recent memory, tails. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceEvent } from 'millrace/trace'
import { Feed } from '#src/trace/feed.js'
import { Recent } from '#src/trace/recent.js'
import { Tails } from '#src/trace/tails.js'

let sequence = 0
const event = (given: Partial<TraceEvent> = {}): TraceEvent => ({
  kind: 'hop',
  sequence: sequence++,
  pipeline: 'p',
  run: '0',
  traces: ['a'],
  node: 'n',
  worker: 0,
  epoch: 0,
  inputs: [],
  outputs: [],
  attempt: 0,
  takenAt: 0,
  handedOffAt: 0,
  serviceMs: 0,
  outcome: 'ok',
  isIncomplete: false,
  isTruncated: false,
  ...given,
})
const events = (count: number): TraceEvent[] => Array.from({ length: count }, () => event())

test('a sink that never answers has events dropped beyond its queue, and gets no second batch', async () => {
  let calls = 0
  const feed = new Feed({ name: 'deaf', write: () => new Promise(() => calls++) }, 10)
  feed.give(events(4))
  feed.give(events(4))
  feed.give(events(4))
  await Promise.resolve()
  assert.equal(calls, 1)
  assert.deepEqual(feed.counts, { name: 'deaf', written: 0, waiting: 10, droppedFull: 2, droppedByError: 0 })
})

test('a sink that throws loses what it was given, and gets the next', async () => {
  let fails = true
  const written: TraceEvent[] = []
  const feed = new Feed({
    name: 'moody',
    write(given) {
      if (fails) throw new Error('no disk')
      written.push(...given)
    },
  })
  feed.give(events(3))
  await feed.flush()
  fails = false
  feed.give(events(2))
  await feed.flush()
  assert.equal(written.length, 2)
  const { lastError, droppedByError, written: count } = feed.counts
  assert.deepEqual({ lastError, droppedByError, count }, { lastError: 'no disk', droppedByError: 3, count: 2 })
})

test('recent memory keeps the last traces', () => {
  const recent = new Recent(2)
  recent.write(['a', 'b', 'b', 'c'].map((trace) => event({ traces: [trace] })))
  recent.write([event({ traces: ['c'], kind: 'end' })])
  assert.deepEqual(
    recent.traces().map(({ trace, events: kept, hasEnded }) => [trace, kept.length, hasEnded]),
    [
      ['b', 2, false],
      ['c', 2, true],
    ],
  )
  assert.equal(recent.traces(1)[0]!.trace, 'c')
})

test('tails keep what failed, what was chosen, and what was slow; a batch of two traces once', () => {
  const kept: TraceEvent[] = []
  const tails = new Tails((given) => kept.push(...given))
  const end = (trace: string, ms = 1): TraceEvent => event({ kind: 'end', traces: [trace], handedOffAt: ms })
  const finish = (trace: string, ms?: number): void => {
    const last = end(trace, ms)
    tails.add(last, false)
    tails.judge(last)
  }
  tails.add(event({ traces: ['plain'] }), false)
  finish('plain')
  assert.deepEqual([kept.length, tails.forgotten, tails.held], [0, 2, 0])
  tails.add(event({ traces: ['one', 'two'], kind: 'fail', outcome: 'failed' }), false)
  finish('one')
  finish('two')
  assert.equal(kept.length, 3)
  tails.add(event({ traces: ['chosen'] }), true)
  finish('chosen')
  assert.equal(kept.length, 5)
  for (let i = 0; i < 256; i++) finish(`fast ${i}`, i % 10)
  const before = kept.length
  finish('slow', 1_000)
  assert.equal(kept.length, before + 1)
})
