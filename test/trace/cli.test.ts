/** `millrace trace` over a folder of segments, as a user calls it. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { cli } from '#src/cli/cli.js'
import type { TraceEvent } from '#src/trace/event.js'
import type { Lineage } from '#src/trace/questions/lineage.js'
import type { TraceView } from '#src/trace/questions/trace-view.js'
import type { TraceList } from '#src/trace/questions/traces.js'
import { SegmentStore } from '#src/trace/store/segments/segment-store.js'
import { play } from './model.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-trace-cli-'))
after(() => rmSync(folder, { recursive: true }))
const played = play(25, { chunks: 30, trouble: 0.1 })
const { events, ledger } = played
const STORE = join(folder, 'store')
const store = new SegmentStore(STORE)
await store.begin(played.run)
store.write(events)
await store.close()

async function millrace(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = []
  const err: string[] = []
  const code = await cli(['trace', ...args], {
    print: (text) => void out.push(text),
    warn: (text) => void err.push(text),
    color: false,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

async function json<T>(...args: string[]): Promise<T> {
  const { code, out, err } = await millrace(...args, '--json')
  assert.equal(code, 0, out + err)
  return JSON.parse(out) as T
}

test('open tells what a store holds', async () => {
  const found = await json<{ runs: { events: number; traces: number }[] }>('open', STORE)
  assert.deepEqual([found.runs.length, found.runs[0]!.events, found.runs[0]!.traces], [1, events.length, 30])
  assert.match((await millrace('open', STORE)).out, /PIPELINE +RUN/)
})

test('list filters, and pages', async () => {
  const all = await json<TraceList>('list', STORE, '--limit', '1000')
  assert.equal(all.total, 30)
  const failed = await json<TraceList>('list', STORE, '--status', 'failed')
  assert.ok(failed.total > 0 && failed.traces.every(({ status }) => status === 'failed'))
  const first = await json<TraceList>('list', STORE, '--limit', '20')
  const second = await json<TraceList>('list', STORE, '--limit', '20', '--cursor', first.next!)
  assert.deepEqual([...first.traces, ...second.traces], all.traces)
  const tenant = await json<TraceList>(
    'list',
    STORE,
    '--attr',
    'tenant=t1',
    '--attr',
    'isLarge=*',
    '--node',
    '*',
    '--min-ms',
    '0',
  )
  assert.ok(tenant.total > 0 && tenant.total < 30)
  assert.equal((await json<TraceList>('list', STORE, '--from', '1h')).total, 0)
  assert.equal((await json<TraceList>('list', STORE, '--from', '2026-01-01', '--to', '2026-12-31')).total, 30)
  const { out } = await millrace('list', STORE, '--limit', '2')
  assert.match(out, /^TRACE +STATUS +STARTED/)
  assert.match(out, /2 of 30; more: --cursor /)
})

test('show draws a waterfall; lineage goes up and down', async () => {
  const { traces } = await json<TraceList>('list', STORE, '--status', 'ok')
  const id = traces[0]!.trace
  const view = await json<TraceView>('show', STORE, id)
  assert.equal(view.spans.length, events.filter((event) => event.traces.includes(id)).length)
  const { out } = await millrace('show', STORE, id)
  assert.match(out, /Critical path ●/)
  assert.match(out, /█/)
  const { record } = ledger.find(({ fate }) => fate === 'written')!
  const up = await json<Lineage>('lineage', STORE, record, '--up')
  assert.equal(up.steps[0]!.fate, 'made')
  const made = up.steps[0]!.record
  const down = await json<Lineage>('lineage', STORE, made)
  assert.ok(down.steps.some((step) => step.record === record))
  assert.match((await millrace('lineage', STORE, made)).out, /Its results/)
})

test('dependencies, slow transfers, ways and books', async () => {
  const found = await json<{ edge: number; records: number }[]>('dependencies', STORE)
  for (const { edge, records } of found) assert.equal(records, played.counts[edge]!.arrived)
  const slow = await json<{ waitMs: number }[]>('slow', STORE, '--limit', '3', '--by', 'wait')
  assert.equal(slow.length, 3)
  assert.ok((await json<unknown[]>('paths', STORE)).length > 0)
  assert.equal((await json<{ isBalanced: boolean }>('audit', STORE)).isBalanced, true)
  for (const [what, text] of [
    ['dependencies', /FROM +TO/],
    ['slow', /WAITED +SERVICE/],
    ['paths', /P50 +P99/],
    ['audit', /The books balance/],
  ] as const)
    assert.match((await millrace(what, STORE)).out, text)
})

test('an audit that finds something is exit code 1', async () => {
  const broken = join(folder, 'broken')
  const lossy = new SegmentStore(broken)
  const gone = events.find(({ inputs, outputs }) => inputs.length > 0 && outputs.length > 0)
  lossy.write(events.filter((event) => event !== gone))
  await lossy.close()
  const { code, out } = await millrace('audit', broken)
  assert.equal(code, 1)
  assert.match(out, /^lost/m)
  assert.match(out, /do not balance/)
})

test('exports are files, text, or spans at a collector', async () => {
  const lines = (await millrace('export', STORE, '--format', 'ndjson')).out.split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as TraceEvent),
    events.toSorted((a, b) => a.handedOffAt - b.handedOffAt || a.sequence - b.sequence),
  )
  const file = join(folder, 'trace.pftrace')
  assert.equal((await millrace('export', STORE, '--format', 'perfetto', '--out', file)).code, 0)
  assert.ok(readFileSync(file).length > 1_000)
  const { trace } = (await json<TraceList>('list', STORE)).traces[0]!
  const otlp = JSON.parse((await millrace('export', STORE, '--format', 'otlp', '--trace', trace)).out) as object
  assert.ok('resourceSpans' in otlp)
  const svg = await json<{ bytes: number }>('export', STORE, '--format', 'svg', '--out', join(folder, 'flow.svg'))
  assert.match(readFileSync(join(folder, 'flow.svg'), 'utf8'), /\d+ records/)
  assert.ok(svg.bytes > 0)
  const server = createServer((request, response) => request.resume().on('end', () => response.end('{}')))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`
  assert.deepEqual(await json('export', STORE, '--format', 'otlp', '--url', url), {
    sent: events.length,
    dropped: 0,
    rejected: 0,
  })
  server.close()
  const { code } = await millrace('export', STORE, '--format', 'ndjson', '--out', join(folder, 'no', 'file'))
  assert.equal(code, 1)
})

test('wrong use is exit code 2, what is not there 1, each with a word', async () => {
  for (const args of [
    [],
    ['guess', STORE],
    ['list'],
    ['show', STORE],
    ['list', STORE, 'more'],
    ['lineage', STORE, 'zzz'],
    ['list', STORE, '--from', 'soon'],
    ['list', STORE, '--status', 'fine'],
    ['list', STORE, '--attr', 'x'],
    ['slow', STORE, '--by', 'luck'],
    ['export', STORE, '--format', 'png'],
    ['export', STORE, '--format', 'perfetto'],
  ])
    assert.equal((await millrace(...args)).code, 2, args.join(' '))
  const unknown = await millrace('show', STORE, 'f'.repeat(32))
  assert.deepEqual([unknown.code, unknown.err.slice(0, 13)], [1, 'TRACE_UNKNOWN'])
  assert.match((await millrace('list', join(folder, 'nowhere'))).err, /^FILE_NOT_READ/)
})
