import assert from 'node:assert/strict'
import { test } from 'node:test'
import etl from '../../examples/walkthrough/1-simple-etl.js'
import iot from '../../examples/walkthrough/2-iot.js'
import deadLetters from '../../examples/walkthrough/3-dead-letters.js'
import microservices from '../../examples/walkthrough/4-microservices.js'
import repaired from '../../examples/walkthrough/5-repair.js'
import { burning, sleeping, type Shape } from './graphs.js'
import { play, type Played } from './harness.js'

const TOLERANCE = 0.1
/** A graph that asks for every core shares them with the supervisor, the collectors, and whatever else runs here. */
const TOLERANCE_OF_CORES = 0.2
const TRIES = 4
/** Where others use so many cores, nothing can be said of the rest. */
const STOLEN = 0.5
/** Several at a time: they sleep, mostly. */
const SIDE_BY_SIDE = 7

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
async function holdsTrue(
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

test('shapes that wait run as predicted, and the predicted bottleneck is the measured one', async () => {
  await holdsTrue(sleeping, 5, 2, SIDE_BY_SIDE)
})

test('stages that burn cores share them as predicted', async (t) => {
  const { others } = await play(burning[0]!.graph, 2, 1)
  if (others > STOLEN) return t.skip(`others use ${others.toFixed(1)} cores`)
  await holdsTrue(burning, 5, 2, 1, TOLERANCE_OF_CORES)
})

test('the five graphs of the walkthrough run as predicted', async () => {
  const waiting = [
    { graph: etl, bottleneck: 'enricher' },
    { graph: iot, bottleneck: 'aggregator' },
    { graph: microservices, bottleneck: 'payment' },
    { graph: repaired, bottleneck: 'worker' },
  ]
  // The lanes behind its apps take eleven seconds to fill, each by itself.
  await holdsTrue(waiting, 24, 12, 4)
  // More than sixty workers: by itself.
  await holdsTrue([{ graph: deadLetters, bottleneck: 'processor' }], 8, 4, 1)
})
