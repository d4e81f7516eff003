/** What is shown in a terminal, and elsewhere. */
import assert from 'node:assert/strict'
import { stripVTControlCharacters } from 'node:util'
import { test } from 'node:test'
import type { Snapshot } from 'millrace'
import { bars, show } from '#src/import/screen.js'

interface Times {
  readonly busyMs: number
  readonly starvedMs: number
  readonly blockedMs: number
}

/** A snapshot with one stage of one worker. */
function snapshot(elapsedMs: number, done: number, queued: number, times: Times): Snapshot {
  const stage = { node: 'parse', done, workers: [{ ...times, limitedMs: 0 }] }
  return { elapsedMs, stages: { parse: stage }, edges: [{ to: 'parse', queued }] } as unknown as Snapshot
}

const START = snapshot(0, 0, 0, { busyMs: 0, starvedMs: 0, blockedMs: 0 })
const LATER = snapshot(2_000, 5_000, 1_234, { busyMs: 1_000, starvedMs: 500, blockedMs: 500 })

test('a bar shows the shares of the time, the rate, the queue, and what is done', () => {
  const [line, key] = bars(START, LATER).map(stripVTControlCharacters)
  assert.equal(line, `parse ${'█'.repeat(12)}${'▒'.repeat(6)}${'░'.repeat(6)}     2,500/s  1,234 queued     5,000 done`)
  assert.equal(key!.trim(), '█ busy ░ starved ▒ blocked')
})

test('a frame in a terminal is drawn over the last one; what is said stays above it', () => {
  let written = ''
  const write = (text: string | Uint8Array): boolean => ((written += String(text)), true)
  let now = START
  const screen = show({ snapshot: () => now }, { isTTY: true, write })
  written = ''
  now = LATER
  screen.say('Interrupted')
  screen.close()
  assert.ok(written.startsWith('\r\x1b[2A\x1b[JInterrupted\n'))
  const lines = stripVTControlCharacters(written).split('\n')
  assert.match(lines[1]!, /^parse .* 2,500\/s /)
  assert.match(lines[3]!, /^\rparse /, 'the last frame')
})

test('without a terminal there are plain lines', () => {
  let written = ''
  const write = (text: string | Uint8Array): boolean => ((written += String(text)), true)
  const screen = show({ snapshot: () => LATER }, { write })
  screen.say('Interrupted')
  screen.close()
  assert.equal(written, 'Interrupted\n')
})
