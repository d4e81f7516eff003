import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomGraph } from './random-graphs.js'
import { complaintsOf } from './random.js'

/** `npm run rehearse:random` tries others, and longer. */
const SEEDS = [1, 2, 3]

test('random graphs with random options run as predicted', async () => {
  assert.deepEqual(await complaintsOf(SEEDS.map((seed) => randomGraph(seed))), [])
})
