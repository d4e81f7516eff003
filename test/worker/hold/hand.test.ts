import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Journal } from '#src/lane/journal.js'
import { mix, mixed } from '#src/lane/ids.js'
import type { ChunkHeader } from '#src/lane/writer.js'
import { handBytes } from '#src/memory/hand.js'
import { viewMemory } from '#src/memory/memory.js'
import { Hand } from '#src/worker/hold/hand.js'
import { randomOf } from '../../rehearse/random-graphs.js'

const JOURNAL_BYTES = 4_096

test('a chunk that an earlier life left half sent is named again: its first record has the id that it had', () => {
  const seed = Date.now() % 1_000_000
  const random = randomOf(seed)
  for (let round = 0; round < 1_000; round++) {
    const memory = viewMemory(new SharedArrayBuffer(JOURNAL_BYTES + handBytes(1)))
    const layout = { offset: JOURNAL_BYTES, segments: 1 }
    const journal = new Journal(memory, { offset: 0, entries: 64, counters: 0, countersOffset: 0 })
    const word = (): number => Math.floor(random() * 2 ** 32) | 0
    const sent = { baseLow: word(), baseHigh: word(), first: word(), salt: 0, count: 3 } as unknown as ChunkHeader
    const hand = new Hand(memory, layout, false)
    hand.open(sent)
    hand.markResume(sent, journal)
    journal.commit()

    const successor = new Hand(memory, layout, false)
    assert.ok(successor.isResuming)
    const named = { baseLow: 0, baseHigh: 0, first: 0 }
    successor.nameHalfSent(named)
    mix(sent.baseLow, sent.baseHigh, sent.first)
    const { low, high } = mixed
    mix(named.baseLow, named.baseHigh, named.first)
    assert.deepEqual({ low: mixed.low, high: mixed.high }, { low, high }, `seed ${seed}`)
    assert.ok(successor.resumes({ ...sent, ...named }), `seed ${seed}`)
  }
})
