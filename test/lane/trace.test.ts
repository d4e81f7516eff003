/** The rules of trace rings: X3, X4, X5 (`memory/trace.ts`); their order is the checker's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Journal, recover } from '#src/lane/journal.js'
import { NO_SIDE, TraceReader, TraceWriter } from '#src/lane/trace.js'
import { journalBytes } from '#src/memory/journal.js'
import { type Memory, viewMemory } from '#src/memory/memory.js'
import { RECORDS, SIDE, SIDE_LENGTH, traceBytes } from '#src/memory/trace.js'

const SIZES = { events: 4, sideWords: 8 }
const TRACE = { offset: 128, ...SIZES }
const JOURNAL = { offset: 128 + traceBytes(SIZES), entries: 4, countersOffset: 64, counters: 0 }
const made = (): { memory: Memory; journal: Journal; writer: TraceWriter; reader: TraceReader } => {
  const memory = viewMemory(new ArrayBuffer(JOURNAL.offset + journalBytes(4, 0)))
  const journal = new Journal(memory, JOURNAL)
  return { memory, journal, writer: new TraceWriter(memory, TRACE, journal), reader: new TraceReader(memory, TRACE) }
}

test('X3: events come as they were written, round the ring, and a full one takes no more', () => {
  const { journal, writer, reader } = made()
  let written = 0
  let read = 0
  for (let round = 0; round < 5; round++) {
    while (writer.hasRoom(1)) {
      const at = writer.begin()
      writer.words[at + RECORDS] = written++
    }
    assert.equal(written - read, SIZES.events)
    assert.equal(reader.look(), 0, 'nothing is seen before the hand-off')
    writer.stage(journal)
    journal.commit()
    assert.equal(reader.look(), SIZES.events)
    for (let at = reader.next(); at !== 0; at = reader.next()) assert.equal(reader.words[at + RECORDS], read++)
    reader.release()
  }
})

test('X3: sections lie beside their events, and their room comes back with them', () => {
  const { journal, writer, reader } = made()
  for (let round = 0; round < 5; round++) {
    const at = writer.begin()
    const position = writer.claimSide(5)
    writer.words[at + SIDE] = position
    writer.words[at + SIDE_LENGTH] = 5
    assert.equal(writer.claimSide(5), NO_SIDE)
    writer.stage(journal)
    journal.commit()
    reader.look()
    assert.notEqual(reader.next(), 0)
    reader.release()
  }
})

test('X4, X5: what was dropped is counted, and a hand-off that recovery finishes tells the same', () => {
  const { memory, journal, writer, reader } = made()
  writer.begin()
  writer.drop(3)
  writer.stage(journal)
  // Marked, and nothing applied: the worker died there.
  memory.words[JOURNAL.offset / 4] = 2
  assert.equal(reader.look(), 0)
  assert.ok(recover(memory, JOURNAL))
  assert.equal(reader.look(), 1)
  assert.equal(reader.dropped, 3)
  const next = new TraceWriter(memory, TRACE, new Journal(memory, JOURNAL))
  assert.equal(next.isDirty, false)
  assert.ok(next.hasRoom(3) && !next.hasRoom(4))
})
