import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { LANE_HEADER_BYTES, type LaneLayout, SIGNATURE } from '#src/memory/lane.js'
import { type Memory, viewMemory } from '#src/memory/memory.js'
import * as signature from '#src/lane/signature.js'

const layout: LaneLayout = { offset: 128, shapeBytes: 0, ringBytes: 1_024, maxDemand: 64, minDemand: 32 }
const terms = '"in" -> "out" {"codec":"shape"}'

function newMemory(): Memory {
  return viewMemory(new SharedArrayBuffer(4_096))
}

test('both ends that know the same of a lane find it signed', () => {
  const memory = newMemory()
  signature.sign(memory, layout, terms)
  assert.ok(signature.isSigned(memory, { ...layout }, terms))
})

test('a lane that nobody has signed is not signed', () => {
  assert.equal(signature.isSigned(newMemory(), layout, ''), false)
})

test('other terms, and any other figure of the layout, are told', () => {
  const memory = newMemory()
  signature.sign(memory, layout, terms)
  assert.equal(signature.isSigned(memory, layout, terms.replace('shape', 'json')), false)
  for (const key of Object.keys(layout) as (keyof LaneLayout)[]) {
    const other = { ...layout, [key]: layout[key] + 128 }
    // The word stands where this end looks, so that only what it is made of can differ.
    memory.words[other.offset / 4 + SIGNATURE] = memory.words[layout.offset / 4 + SIGNATURE]!
    assert.equal(signature.isSigned(memory, other, terms), false, key)
  }
})

test('it stands in the header of the lane and changes no other word', () => {
  const memory = newMemory()
  signature.sign(memory, layout, terms)
  const written = [...memory.words.keys()].filter((word) => memory.words[word] !== 0)
  assert.deepEqual(written, [layout.offset / 4 + SIGNATURE])
  assert.ok(4 * SIGNATURE < LANE_HEADER_BYTES)
})

test('each text counts, and so does their order', () => {
  const memory = newMemory()
  signature.sign(memory, layout, '1.0.0', terms)
  assert.ok(signature.isSigned(memory, layout, '1.0.0', terms))
  for (const other of [['1.0.1', terms], [terms, '1.0.0'], [terms], ['1.0.0']])
    assert.equal(signature.isSigned(memory, layout, ...other), false)
})

test('code to which the words of a lane lie elsewhere does not find it signed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  t.after(() => rmSync(folder, { recursive: true }))
  cpSync(new URL('../../../dist', import.meta.url), join(folder, 'dist'), { recursive: true })
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ type: 'module', imports: { '#atomics': './dist/atomics.js' } }),
  )
  const file = join(folder, 'dist/memory/lane.js')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('export const FRAME_STAMP = 8', 'export const FRAME_STAMP = 7'))
  assert.notEqual(readFileSync(file, 'utf8'), text)
  const url = pathToFileURL(join(folder, 'dist/lane/signature.js')).href
  const other = (await import(url)) as typeof signature
  const memory = newMemory()
  signature.sign(memory, layout, terms)
  assert.equal(other.isSigned(memory, layout, terms), false)
})
