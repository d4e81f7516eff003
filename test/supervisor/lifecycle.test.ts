import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lifecycle, PIPELINE_NEXT } from '#src/supervisor/lifecycle.js'

test('a pipeline goes forward only, and an illegal change is an internal error that names both states', () => {
  const life = new Lifecycle('pipeline p', PIPELINE_NEXT, 'starting')
  for (const state of ['running', 'draining', 'stopping', 'ended'] as const) life.enter(state)
  assert.throws(() => life.enter('running'), { code: 'INTERNAL', message: /pipeline p went from ended to running/ })
  assert.equal(life.state, 'ended')
})

test('every state of a pipeline but the last leads to the end', () => {
  const leadsOn = new Set(['ended'])
  for (let before = 0; before < leadsOn.size;) {
    before = leadsOn.size
    for (const [state, next] of Object.entries(PIPELINE_NEXT))
      if (next.some((each) => leadsOn.has(each))) leadsOn.add(state)
  }
  assert.deepEqual([...leadsOn].toSorted(), Object.keys(PIPELINE_NEXT).toSorted())
})
