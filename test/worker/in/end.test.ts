import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow } from 'millrace'
import { Line } from '../line.ts'

test('the end comes down when the sources have ended and all that came of them is handed on, not before', async () => {
  const chunks = [[1], [2]]
  const graph = dataflow('end', import.meta.url)
    .source('in', { poll: (): number[] | null => chunks.shift() ?? null } as never)
    .transform('work', { map: (n: number) => n } as never)
    .sink('out', { write: () => undefined } as never)
    .connect('in', 'work')
    .connect('work', 'out')
  const line = await Line.of(graph)
  assert.equal(line.parts('work').end.hasCome, false)
  line.settle('in')
  // The source has said that it ended; its records lie on the lane.
  assert.deepEqual([line.parts('work').end.hasCome, line.parts('out').end.isNear], [false, false])
  line.settle('in', 'work')
  assert.deepEqual([line.parts('work').end.hasCome, line.parts('out').end.hasCome], [true, false])
  line.settle()
  assert.equal(line.parts('out').end.hasCome, true)
})

test('stages on a loop are at their end once nothing is left on it, whoever looks', async () => {
  const graph = dataflow('loop', import.meta.url)
    .source('in', { produce: () => [1, 2, 3] } as never)
    .transform('work', {
      map: (n: number) => {
        if (n > 1) throw new Error('again')
        return n
      },
    } as never)
    .transform('mend', { map: ({ input }: { input: number }) => input - 1 } as never)
    .sink('out', { write: () => undefined } as never)
    .connect('in', 'work')
    .connect('work', 'mend', { pathType: 'error' } as never)
    .connect('mend', 'work')
    .connect('work', 'out')
  const line = await Line.of(graph)
  line.settle('in')
  line.step('work')
  assert.equal(line.parts('mend').end.hasCome, false)
  await line.settleUntil(() => line.counts('out')['done'] === 3)
  line.settle()
  assert.deepEqual(
    ['work', 'mend', 'out'].map((node) => line.parts(node).end.hasCome),
    [true, true, true],
  )
})
