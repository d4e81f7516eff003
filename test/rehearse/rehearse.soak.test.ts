import { test } from 'node:test'
import { burning, sleeping } from './graphs.js'
import { play } from './harness.js'
import { holdsTrue } from './holds-true.js'

/** A graph that asks for every core shares them with the supervisor, the collectors, and whatever else runs here. */
const TOLERANCE_OF_CORES = 0.2
/** Where others use so many cores, nothing can be said of the rest. */
const STOLEN = 0.5
/** Several at a time: they sleep, mostly. */
const SIDE_BY_SIDE = 7

test('shapes that wait run as predicted, and the predicted bottleneck is the measured one', async () => {
  await holdsTrue(sleeping, 5, 2, SIDE_BY_SIDE)
})

test('stages that burn cores share them as predicted', async (t) => {
  const { others } = await play(burning[0]!.graph, 2, 1)
  if (others > STOLEN) return t.skip(`others use ${others.toFixed(1)} cores`)
  await holdsTrue(burning, 5, 2, 1, TOLERANCE_OF_CORES)
})
