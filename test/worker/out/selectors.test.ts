import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow } from 'millrace'
import { Line } from '../line.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const isEven = (n: number): boolean => n % 2 === 0

const throwsAtFive = (n: number): boolean => {
  if (n === 5) throw new Error('five')
  return true
}

const graphOf = (name: string) => dataflow(name, import.meta.url).source('in', { chunk: 4, produce: () => upTo(12) })

test('each edge takes the records that its selector picks: one, several or none of them', async () => {
  const line = await Line.of(
    graphOf('edges')
      .transform('even', { map: (n: number) => `even ${n}` })
      .transform('small', { map: (n: number) => `small ${n}` })
      .sink('out')
      .connect('in', 'even', { selector: isEven })
      .connect('in', 'small', { selector: (n: number) => n < 3 })
      .connect('even', 'out')
      .connect('small', 'out'),
  )
  line.settle()
  assert.deepEqual(
    line.out.toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
    ['even 0', 'even 10', 'even 2', 'even 4', 'even 6', 'even 8', 'small 0', 'small 1', 'small 2'],
  )
  assert.deepEqual([line.counts('even')['in'], line.counts('small')['in'], line.counts('in')['inFlight']], [6, 3, 0])
})

test('a record must pass all selectors on its way through buffers and merges', async () => {
  const line = await Line.of(
    graphOf('path')
      .buffer('queue', { capacity: 100 })
      .merge('all')
      .sink('out')
      .connect('in', 'queue', { selector: isEven })
      .connect('queue', 'all')
      .connect('all', 'out', { selector: (n: number) => n % 3 === 0 }),
  )
  line.settle()
  assert.deepEqual(line.out, [0, 6])
})

test('a branch has selectors too, and a conditional behind a selector gets what it picks', async () => {
  const line = await Line.of(
    graphOf('branches')
      .conditional('route', { route: (n: number) => (n < 6 ? 'low' : 'high') })
      .sink('out')
      .connect('in', 'route', { selector: isEven })
      .connect('route', 'out', { when: 'low', selector: (n: number) => n > 0 })
      .connect('route', 'out', { when: 'high', label: 'high' }),
  )
  line.settle()
  assert.deepEqual(
    line.out.toSorted((a, b) => Number(a) - Number(b)),
    [2, 4, 6, 8, 10],
  )
  assert.equal(line.counts('route')['in'], 6)
})

test('a selector that throws fails its record, once, and no others', async () => {
  const line = await Line.of(
    graphOf('throws')
      .transform('work', { map: (n: number) => n })
      .conditional('route', { route: () => 'on' })
      .sink('out')
      .connect('in', 'work')
      .connect('work', 'out', { selector: throwsAtFive })
      .connect('work', 'route', { selector: (n: number) => n > 9 && throwsAtFive(n - 5) })
      .connect('route', 'out', { when: 'on' }),
  )
  line.settle()
  const failed = line.events.filter(({ name }) => name === 'record.failed')
  assert.deepEqual(
    failed.map(({ node, input }) => [node, input]),
    [
      ['route', 10],
      ['work', 5],
    ].toSorted((a, b) => Number(a[1]) - Number(b[1])),
  )
  assert.deepEqual(
    line.out.toSorted((a, b) => Number(a) - Number(b)),
    [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 11],
  )
})

test('what is made again after a crash takes the same edges: each record comes out once', async () => {
  const line = await Line.of(
    graphOf('crash')
      .transform('work', { map: (n: number) => n })
      .sink('out')
      .connect('in', 'work')
      .connect('work', 'out', { selector: isEven, maxDemand: 2 })
      .connect('work', 'out', { selector: (n: number) => !isEven(n), maxDemand: 1, label: 'odd' }),
  )
  for (let i = 0; i < 12; i++) {
    line.settle('in')
    line.step('work')
    line.kill('work')
    line.settle('out')
  }
  line.settle()
  assert.deepEqual(
    line.out.toSorted((a, b) => Number(a) - Number(b)),
    upTo(12),
  )
})
