import assert from 'node:assert/strict'
import type { Failure, GraphData } from 'millrace'
import { collect } from '../run/harness.js'

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
export const sorted = (numbers: unknown[]): number[] => (numbers as number[]).toSorted((a, b) => a - b)

const isPoison = (n: number): boolean => n % 1_000 === 500

/** Of so many records each thousandth kills: it alone is given up. */
export async function poison(graph: GraphData, count: number): Promise<void> {
  const { outputs, report } = await collect(graph)
  assert.deepEqual(
    sorted(outputs['out']!),
    upTo(count).filter((n) => !isPoison(n)),
  )
  const dead = outputs['dead'] as Failure<number>[]
  assert.deepEqual(sorted(dead.map(({ input }) => input)), upTo(count).filter(isPoison))
  assert.ok(dead.every(({ error, node }) => error.code === 'RECORD_POISONED' && node === 'work'))
  assert.equal(report.outcome, 'finished')
  assert.equal(report.deadLettered, dead.length)
  assert.equal(report.nodes['work']!.crashed, dead.length)
}
