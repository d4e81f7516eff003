import assert from 'node:assert/strict'
import type { Shape } from './graphs.js'
import { play, type Played } from './harness.js'

const TOLERANCE = 0.1
const TRIES = 4

/** Why a rehearsal is not as predicted, or nothing where it is. */
function complaint({ graph, bottleneck }: Shape, { rehearsal, cores }: Played, tolerance: number): string | undefined {
  const { largestError, bottleneck: found, nodes } = rehearsal
  const details = `${graph.name}, ${cores.toFixed(2)} cores: ${JSON.stringify(nodes)}`
  if (largestError > tolerance) return `off by ${largestError}: ${details}`
  if (bottleneck === undefined) return undefined
  if (found.predicted !== bottleneck) return `predicted bottleneck ${found.predicted}: ${details}`
  return found.measured === bottleneck ? undefined : `measured bottleneck ${found.measured}: ${details}`
}

/** Shapes that are not as predicted are tried again, longer and with less company: the machine is not ours alone. */
export async function holdsTrue(
  shapes: readonly Shape[],
  seconds: number,
  fromSeconds: number,
  most: number,
  tolerance: number = TOLERANCE,
): Promise<void> {
  let left = [...shapes]
  let complaints: string[] = []
  for (let attempt = 1; attempt <= TRIES && left.length > 0; attempt++) {
    const failed: Shape[] = []
    complaints = []
    const atOnce = attempt === 1 ? most : 1
    for (let i = 0; i < left.length; i += atOnce) {
      const some = left.slice(i, i + atOnce)
      const longer = attempt === 1 ? 0 : seconds / 2
      const played = await Promise.all(some.map(({ graph }) => play(graph, seconds + longer, fromSeconds + longer / 2)))
      some.forEach((shape, n) => {
        const reason = complaint(shape, played[n]!, tolerance)
        if (reason === undefined) return
        failed.push(shape)
        complaints.push(reason)
      })
    }
    left = failed
  }
  assert.deepEqual(complaints, [])
}
