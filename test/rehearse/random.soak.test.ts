import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomGraph } from './random-graphs.js'
import { complaintsOf } from './random.js'

const FIRST = Math.floor(Math.random() * 2 ** 31)
const COUNT = 200

test(`${COUNT} random graphs with random options, seeds from ${FIRST}, run as predicted`, async () => {
  assert.deepEqual(await complaintsOf(Array.from({ length: COUNT }, (_, i) => randomGraph(FIRST + i))), [])
})
