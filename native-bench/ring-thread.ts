/** A thread of the suite `ring`: writes or reads records of 64 bytes in place, on a lane of its own. */
import { workerData } from 'node:worker_threads'
import { type StructView, structLayout, structView } from '#src/codec/struct-view.js'
import { Journal } from '#src/lane/journal.js'
import { FRAME_COUNT, headerBytes } from '#src/memory/lane.js'
import { viewMemory } from '#src/memory/memory.js'
import { LaneReader, NO_FRAME } from '#src/lane/reader.js'
import { LaneWriter, NO_ROOM } from '#src/lane/writer.js'
import { gateOf } from './gate.ts'
import type { LanePair } from './lanes.ts'
import { rest } from './rest.ts'

export interface RingThread {
  readonly role: 'writer' | 'reader'
  readonly gate: string
  readonly lanes: LanePair
  readonly publishEvery: number
}

type Record64 = { a: number; b: number; c: number; d: number; e: number; f: number; g: number; h: number }
const layout = structLayout({ a: 'f64', b: 'f64', c: 'f64', d: 'f64', e: 'f64', f: 'f64', g: 'f64', h: 'f64' })
const RECORD_BYTES = layout.stride
const record = new (structView(layout))() as StructView & Record64

const { role, gate: gateName, lanes, publishEvery } = workerData as RingThread
const gate = gateOf(gateName)
const memory = viewMemory(lanes.buffer)
const HEADER = { slot: 0, furtherAnchors: [], baseLow: 0, baseHigh: 0, first: 0, salt: 0, attempt: 0, trace: 0 }

function write(): void {
  const writer = new LaneWriter(memory, lanes.there)
  const journal = new Journal(memory, lanes.journals[0])
  for (let vain = 1; ; vain++) {
    const count = gate.allowed(publishEvery)
    const at = count > 0 && writer.credit() >= count ? writer.claim(headerBytes(0) + RECORD_BYTES * count) : NO_ROOM
    if (at === NO_ROOM) {
      rest(vain)
      continue
    }
    vain = 0
    const end = fill(writer.body(at, 0), gate.next, count)
    writer.append(at, end, count, HEADER, 0)
    writer.stage(journal)
    journal.commit()
    gate.next += count
  }
}

function fill(at: number, index: number, count: number): number {
  for (const last = index + count; index < last; index++) {
    const value = index & 255
    record.moveTo(memory, at)
    record.a = record.b = record.c = record.d = record.e = record.f = record.g = record.h = value
    at += RECORD_BYTES
  }
  return at
}

function read(): void {
  const reader = new LaneReader(memory, lanes.there)
  const journal = new Journal(memory, lanes.journals[1])
  for (let vain = 1; ; vain++) {
    let frames = 0
    let records = 0
    let sum = 0
    for (let at = reader.poll(); at !== NO_FRAME && records < publishEvery; at = reader.poll()) {
      const count = memory.words[(at >> 2) + FRAME_COUNT]!
      sum += total(at + headerBytes(0), count)
      reader.take(at)
      reader.release(reader.position, 0, count)
      records += count
      frames++
    }
    if (frames === 0) {
      rest(vain)
      continue
    }
    vain = 0
    reader.stage(journal)
    journal.commit()
    gate.arrived(records, sum)
  }
}

function total(at: number, count: number): number {
  let sum = 0
  for (let i = 0; i < count; i++) {
    record.moveTo(memory, at)
    sum += record.a + record.b + record.c + record.d + record.e + record.f + record.g + record.h
    at += RECORD_BYTES
  }
  return sum
}

if (role === 'writer') write()
else read()
