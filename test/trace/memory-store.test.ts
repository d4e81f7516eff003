import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStore } from '#src/trace/store/memory-store.js'
import { play } from './model.js'
import { read, storeSuite } from './store-suite.js'

storeSuite({ name: 'memory', isKept: false, open: () => new MemoryStore() })

test('memory keeps the last events only, and counts the others', async () => {
  const { events } = play(4, { chunks: 30 })
  const store = new MemoryStore({ maxEvents: 50 })
  for (let i = 0; i < events.length; i += 9) store.write(events.slice(i, i + 9))
  assert.deepEqual(await read(store), events.slice(-50))
  assert.equal(store.stats().expired, events.length - 50)
})
