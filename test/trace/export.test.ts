/** Exports: Perfetto read back by a parser of its own, lines of JSON, and the picture of the flow. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TraceEvent } from '#src/trace/event.js'
import { flowSvg } from '#src/trace/export/flow-svg.js'
import { toNdjson } from '#src/trace/export/ndjson.js'
import { toPerfetto } from '#src/trace/export/perfetto.js'
import { MemoryStore } from '#src/trace/store/memory-store.js'
import { play } from './model.js'

type Fields = Map<number, (bigint | Buffer)[]>

/** Fields of a message by number: varints and fixed numbers as they are, all else as bytes. */
function parse(bytes: Buffer): Fields {
  const fields: Fields = new Map()
  let at = 0
  const varint = (): bigint => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const wire = tag & 7
    let value: bigint | Buffer
    if (wire === 0) value = varint()
    else if (wire === 1) value = bytes.subarray(at, (at += 8))
    else {
      assert.equal(wire, 2)
      const length = Number(varint())
      value = bytes.subarray(at, (at += length))
      assert.equal(value.length, length)
    }
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value])
  }
  return fields
}

const message = (fields: Fields, field: number): Fields | undefined => {
  const value = fields.get(field)?.[0]
  return value === undefined ? undefined : parse(value as Buffer)
}
const text = (fields: Fields, field: number): string =>
  ((fields.get(field)?.[0] as Buffer | undefined) ?? Buffer.alloc(0)).toString()

test('a Perfetto file holds a slice for each event, on tracks where slices nest, and arrows for each hop', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const { events } = play(seed)
      const packets = (parse(toPerfetto(events)).get(1) ?? []).map((packet) => parse(packet as Buffer))
      const tracks = new Map<bigint, string>()
      const open = new Map<bigint, bigint[]>()
      const flows = { begun: new Set<string>(), ended: new Set<string>() }
      let slices = 0
      let last = 0n
      for (const packet of packets) {
        const track = message(packet, 60)
        if (track !== undefined) tracks.set(track.get(1)![0] as bigint, text(track, 2) || text(message(track, 3)!, 6))
        const event = message(packet, 11)
        if (event === undefined) continue
        const at = packet.get(8)![0] as bigint
        assert.ok(at >= last)
        last = at
        const uuid = event.get(11)![0] as bigint
        assert.ok(tracks.has(uuid))
        const stack = open.get(uuid) ?? []
        open.set(uuid, stack)
        if (event.get(9)![0] === 1n) {
          slices++
          stack.push(at)
          for (const flow of event.get(47) ?? []) flows.begun.add((flow as Buffer).toString('hex'))
          for (const flow of event.get(48) ?? []) flows.ended.add((flow as Buffer).toString('hex'))
          const names = new Set((event.get(4) ?? []).map((each) => text(parse(each as Buffer), 10)))
          assert.ok(names.has('trace') && names.has('serviceMs'))
          assert.ok(tracks.get(uuid)!.startsWith(text(event, 23)))
        } else assert.ok(stack.pop() !== undefined)
      }
      assert.equal(slices, events.length)
      assert.ok([...open.values()].every((stack) => stack.length === 0))
      assert.deepEqual(flows.begun, flows.ended)
      const taken = events.filter(({ inputs }) => inputs.length > 0).length
      assert.ok(flows.begun.size >= taken)
    }),
    { numRuns: 25 },
  )
})

test('lines of JSON are the events', () => {
  const { events } = play(3)
  const lines = toNdjson(events).trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as TraceEvent),
    events,
  )
  assert.equal(toNdjson([]), '')
})

test('the picture shows each edge with its records, escaped, the same each time; of nothing it is empty', async () => {
  const played = play(13, { chunks: 30, pipeline: 'a <b> & "c"' })
  const store = new MemoryStore()
  await store.begin(played.run)
  store.write(played.events)
  const svg = await flowSvg(store, {}, { title: true })
  for (const { id } of played.nodes) assert.ok(svg.includes(`>${id}<`), id)
  for (const { arrived } of played.counts)
    if (arrived > 0) assert.ok(svg.includes(`${arrived} records`), String(arrived))
  assert.ok(svg.includes('a &lt;b&gt; &amp;'))
  assert.equal(await flowSvg(store, {}, { title: true }), svg)
  const unknown = new MemoryStore()
  unknown.write(played.events)
  assert.match(await flowSvg(unknown), /\d+ records/)
  assert.match(await flowSvg(new MemoryStore()), /<svg[^]*<\/svg>/)
})
