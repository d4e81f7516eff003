import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blame, type Blame } from '#src/analysis/live/blame.js'
import { explain } from '#src/analysis/live/explain.js'
import { graphOf } from './graphs.js'
import { byHand } from './measurements.js'

const steps = ({ chain }: Blame): string[] => chain.map(({ node, waitsFor, share }) => `${node} ${waitsFor} ${share}`)
const verdict = ({ root, cause }: Blame): (string | undefined)[] => [cause, root]

const row = graphOf(
  ['source in', 'transform a', 'transform b', 'transform c', 'sink out'],
  ['in > a', 'a > b', 'b > c', 'c > out'],
)

test('the chain names each step in order, from the topmost stage that waits down to the root', () => {
  const measured = byHand(
    row,
    {
      in: { busy: 0.1, blocked: 0.7 },
      a: { busy: 0.08, blocked: 0.9 },
      b: { busy: 0.5, blocked: 0.45 },
      c: { busy: 0.97 },
    },
    { 'in > a': 0.7, 'a > b': 0.9, 'b > c': 0.45 },
  )
  const found = blame(row, measured)
  // The longest wait is in the middle, and `b` is busy for longer than it waits: neither cuts the chain.
  assert.deepEqual(verdict(found), ['full', 'c'])
  assert.deepEqual(steps(found), ['in a 0.7', 'a b 0.9', 'b c 0.45'])
  assert.equal(
    explain(row, measured).sentence,
    '`c` is busy 97 % of the time; `in` waits for `a` 70 % of the time; `a` waits for `b` 90 % of the time; `b` waits for it 45 % of the time',
  )
})

test('in a diamond the chain goes along the longer waits, and takes each step once', () => {
  const diamond = graphOf(
    ['source in', 'transform split', 'transform left', 'transform right', 'sink out'],
    ['in > split', 'split > left', 'split > right', 'left > out', 'right > out'],
  )
  const found = blame(
    diamond,
    byHand(
      diamond,
      {
        in: { blocked: 0.9 },
        split: { busy: 0.1, blocked: 0.8 },
        left: { busy: 0.2, blocked: 0.6 },
        right: { busy: 0.1, blocked: 0.8 },
        out: { busy: 0.98 },
      },
      { 'in > split': 0.9, 'split > left': 0.4, 'split > right': 0.4, 'left > out': 0.6, 'right > out': 0.8 },
    ),
  )
  assert.deepEqual(verdict(found), ['full', 'out'])
  assert.deepEqual(steps(found), ['in split 0.9', 'split right 0.4', 'right out 0.8'])
})

test('while a buffer still fills, the root is the full stage behind it; the one before it is full as well', () => {
  const graph = graphOf(
    ['source in', 'transform parse', 'buffer queue', 'transform enrich', 'sink out'],
    ['in > parse', 'parse > queue', 'queue > enrich', 'enrich > out'],
  )
  const measured = byHand(
    graph,
    { in: { busy: 0.1, blocked: 0.9 }, parse: { busy: 0.99 }, enrich: { busy: 0.98 }, out: { busy: 0.3 } },
    { 'in > parse': 0.9 },
    { 'queue > enrich': 40 },
  )
  assert.deepEqual(verdict(blame(graph, measured)), ['full', 'enrich'])
  // Nobody waits for `enrich` yet, so no step leads to it.
  assert.deepEqual(steps(blame(graph, measured)), [])
  assert.equal(
    explain(graph, measured).sentence,
    '`enrich` is busy 98 % of the time; `parse` is full as well (busy 99 %)',
  )
})

test('a stage below a full one that starves now and then is not what limits', () => {
  const found = blame(row, byHand(row, { in: { blocked: 0.9 }, a: { busy: 1 }, b: { busy: 0.92 } }, { 'in > a': 0.9 }))
  assert.deepEqual(verdict(found), ['full', 'a'])
})

test('a stage that others wait for is full though moving records leaves its handler little time', () => {
  const shares = { in: { busy: 0.1, blocked: 0.9 }, a: { busy: 0.4, blocked: 0.6 }, b: { busy: 0.5 } }
  const measured = byHand(row, shares, { 'in > a': 0.9, 'a > b': 0.6 })
  const busy = { ...measured, nodes: { ...measured.nodes, b: { ...measured.nodes['b']!, starved: 0.04 } } }
  assert.deepEqual(verdict(blame(row, measured)), ['slow', 'b'])
  assert.deepEqual(verdict(blame(row, busy)), ['full', 'b'])
})

/** Two rows that have nothing to do with each other. */
const two = graphOf(
  ['source s', 'transform x', 'sink xs', 'source t', 'transform y', 'sink ys'],
  ['s > x', 'x > xs', 't > y', 'y > ys'],
)

test('a stage at its rate limit that others wait for is the root, by its limit', () => {
  const shares = { in: { blocked: 0.9 }, a: { busy: 0.1, limited: 0.9 } }
  const found = blame(row, byHand(row, shares, { 'in > a': 0.9 }))
  assert.deepEqual(verdict(found), ['limited', 'a'])
  assert.equal(explain(row, byHand(row, shares, { 'in > a': 0.9 })).remedy, 'Raise `rateLimit` of `a`.')
  assert.deepEqual(verdict(blame(row, byHand(row, { b: { limited: 0.8 } }))), ['limited', 'b'])
})

test('a full stage goes before a rate limit, wherever it is', () => {
  for (const [limited, full] of [
    ['s', 'y'],
    ['t', 'x'],
    ['s', 'x'],
  ] as const) {
    const found = blame(two, byHand(two, { [limited]: { limited: 0.99 }, [full]: { busy: 1 } }))
    assert.deepEqual(verdict(found), ['full', full])
  }
})

test('of several full stages side by side, the one that is waited for longest is the root, then the busiest, then the first', () => {
  const full = (x: number, y: number, waits: Readonly<Record<string, number>> = {}): unknown =>
    blame(two, byHand(two, { x: { busy: x }, y: { busy: y } }, waits)).root
  assert.equal(full(1, 0.96, { 's > x': 0.2, 't > y': 0.8 }), 'y')
  assert.equal(full(0.96, 1, { 's > x': 0.5, 't > y': 0.5 }), 'y')
  assert.equal(full(0.96, 1), 'y')
  assert.equal(full(0.97, 0.97), 'x')
  assert.equal(full(0.97, 0.97, { 's > x': 0.5, 't > y': 0.5 }), 'x')
  const { because } = explain(two, byHand(two, { x: { busy: 1 }, y: { busy: 0.97 } }))
  assert.deepEqual(because, ['`y` is full as well (busy 97 %)'])
})

test('of two sources at their rate limits, the one that is held longer is the root; a full stage is none of them', () => {
  const found = blame(two, byHand(two, { s: { limited: 0.7 }, t: { limited: 0.9 } }))
  assert.deepEqual(verdict(found), ['limited', 't'])
  // Short waits of a source that is mostly limited are gusts.
  const gusts = byHand(two, { s: { limited: 0.6, blocked: 0.3 }, x: { busy: 0.5 } }, { 's > x': 0.3 })
  assert.deepEqual(verdict(blame(two, gusts)), ['limited', 's'])
  assert.equal(explain(two, gusts).remedy, 'Raise `rateLimit` of `s`.')
})

test('a full sink that only failures come to does not take the blame from the stage on the way', () => {
  const graph = graphOf(
    ['source in', 'transform work', 'sink out', 'sink letters'],
    ['in > work', 'work > out', { from: 'work', to: 'letters', pathType: 'dead_letter' }],
  )
  const found = blame(
    graph,
    byHand(graph, { in: { blocked: 0.9 }, work: { busy: 0.95 }, letters: { busy: 1 } }, { 'in > work': 0.9 }),
  )
  assert.deepEqual(verdict(found), ['full', 'work'])
})

test('full stages of one loop are side by side', () => {
  const loop = graphOf(['source in', 'transform a', 'transform b', 'sink out'], ['in > a', 'a > b', 'b > a', 'b > out'])
  const found = blame(
    loop,
    byHand(loop, { in: { blocked: 0.9 }, a: { busy: 0.95 }, b: { busy: 0.97 } }, { 'in > a': 0.9 }),
  )
  assert.deepEqual([verdict(found), steps(found)], [['full', 'a'], ['in a 0.9']])
})

test('a ring of stages that all wait is a full loop: each step is named once', () => {
  const ring = graphOf(['source in', 'transform a', 'transform b', 'sink out'], ['in > a', 'a > b', 'b > a', 'b > out'])
  const blocked = { blocked: 0.9 }
  const measured = byHand(ring, { in: blocked, a: blocked, b: blocked }, { 'in > a': 0.9, 'a > b': 0.9, 'b > a': 0.9 })
  const found = blame(ring, measured)
  assert.deepEqual(verdict(found), ['loop', 'a'])
  assert.deepEqual(steps(found), ['in a 0.9', 'a b 0.9', 'b a 0.9'])
  assert.match(explain(ring, measured).sentence, /`a` waits for itself in the end: a loop is full/)
})

test('a full stage that waits for room on its own retry edge is still the root, and the wait for itself no step', () => {
  const graph = graphOf(
    ['source in', 'transform work', 'sink out'],
    ['in > work', { from: 'work', to: 'work', pathType: 'retry' }, 'work > out'],
  )
  const found = blame(
    graph,
    byHand(
      graph,
      { in: { blocked: 0.9 }, work: { busy: 0.93, blocked: 0.06 } },
      { 'in > work': 0.5, 'work > work': 0.06 },
    ),
  )
  assert.deepEqual([verdict(found), steps(found)], [['full', 'work'], ['in work 0.5']])
})

test('a slow sink outside is the root while its calls last', () => {
  const found = blame(
    row,
    byHand(
      row,
      { in: { blocked: 0.95 }, a: { blocked: 0.9 }, b: { blocked: 0.9 }, c: { blocked: 0.9 }, out: { busy: 0.99 } },
      { 'in > a': 0.95, 'a > b': 0.9, 'b > c': 0.9, 'c > out': 0.9 },
    ),
  )
  assert.deepEqual(verdict(found), ['full', 'out'])
  assert.equal(found.chain.length, 4)
})

test('an output that nobody reads is the root, before and after others begin to wait for it', () => {
  const out = { out: { blocked: 0.99 } }
  assert.deepEqual(verdict(blame(row, byHand(row, out))), ['outside', 'out'])
  const measured = byHand(row, { ...out, c: { blocked: 0.9 } }, { 'c > out': 0.9 })
  assert.deepEqual(verdict(blame(row, measured)), ['outside', 'out'])
  assert.match(
    explain(row, measured).sentence,
    /^`out` is blocked 99 % of the time, but no other stage holds it up; `c` waits/,
  )
})

test('a stage that starves for the most part, and yet holds others up, is found where the waits end', () => {
  const measured = byHand(
    row,
    { in: { blocked: 0.8 }, a: { busy: 0.1, blocked: 0.7 }, b: { busy: 0.25 } },
    { 'in > a': 0.8, 'a > b': 0.7 },
  )
  assert.deepEqual(verdict(blame(row, measured)), ['slow', 'b'])
  assert.match(
    explain(row, measured).sentence,
    /^`b` slows other stages down, although it is busy only 25 % of the time/,
  )
})

test('a source whose window is full waits for acks, and not for a reader that starves', () => {
  const shares = { in: { blocked: 0.9 }, a: { busy: 0.05 }, out: { busy: 0.4 } }
  const window = byHand(row, shares, { 'in > a': 0.9 }, { 'in > a': 1 })
  assert.deepEqual(verdict(blame(row, window)), ['acks', 'in'])
  assert.equal(
    explain(row, window).sentence,
    '`in` has a full window, and no stage is short of time; `in` waits for acks 90 % of the time',
  )
  // Records that wait before `a` are the proof that it is `a` that holds the source up.
  assert.deepEqual(verdict(blame(row, byHand(row, shares, { 'in > a': 0.9 }))), ['slow', 'a'])
  // With a full stage farther down, the window is full because of that one.
  const full = byHand(row, { ...shares, c: { busy: 1 } }, { 'in > a': 0.9 }, { 'in > a': 1 })
  assert.deepEqual(verdict(blame(row, full)), ['full', 'c'])
  assert.match(explain(row, full).sentence, /^`c` is busy 100 % of the time; `in` waits for acks 90 % of the time$/)
})

test('where all starve there is no bottleneck: the busiest stage is named, and nobody is blamed', () => {
  const found = blame(row, byHand(row, { a: { busy: 0.2 }, c: { busy: 0.6 } }))
  assert.deepEqual([verdict(found), steps(found)], [['none', 'c'], []])
  assert.match(explain(row, byHand(row, {})).sentence, /No stage is short of time/)
})

test('without measurements there is no root', () => {
  assert.deepEqual(verdict(blame(row, { seconds: 1, nodes: {}, edges: [] })), ['none', undefined])
})

test('a row of a thousand stages that all wait has a chain of a thousand steps', () => {
  const ids = Array.from({ length: 1_000 }, (_, i) => `n${i}`)
  const graph = graphOf(
    ids.map((id, i) => `${i === 0 ? 'source' : 'transform'} ${id}`),
    ids.slice(1).map((id, i) => `${ids[i]} > ${id}`),
  )
  const shares = Object.fromEntries(ids.map((id, i) => [id, i === 999 ? { busy: 1 } : { blocked: 0.9 }]))
  const waits = Object.fromEntries(ids.slice(1).map((id, i) => [`${ids[i]} > ${id}`, 0.9]))
  const { root, chain } = blame(graph, byHand(graph, shares, waits))
  assert.equal(root, 'n999')
  assert.deepEqual(
    chain.map(({ node }) => node),
    ids.slice(0, -1),
  )
})
