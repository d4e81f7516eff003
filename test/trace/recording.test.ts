/** Recordings: looked at without what they were made by, put through nodes once more, and at any moment. */
import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { run } from 'millrace'
import {
  moment,
  openStore,
  recordIdAt,
  Recording,
  replayNode,
  toRecording,
  traces,
  type TraceEvent,
} from 'millrace/trace'
import { cli } from '#src/cli/cli.js'
import { eventsOf } from '#src/trace/source.js'
import { LiveSource } from '#src/trace/live-source.js'
import { until } from '../control/harness.js'
import { collect } from '../run/harness.js'
import { ITEMS, priced, repriced } from './priced.js'

const ALL = { rate: 1, recent: 100_000, ring: 16_777_216, side: 16_777_216 }
let file = ''
let events: TraceEvent[] = []

before(async () => {
  const { pipeline } = await collect(priced, { trace: ALL })
  const source = new LiveSource(pipeline.tracing!, pipeline.graph)
  events = await eventsOf(source)
  file = join(await mkdtemp(join(tmpdir(), 'recording-')), 'priced.recording')
  await writeFile(file, toRecording(source))
})

const ask = async (...args: string[]): Promise<{ code: number; out: string }> => {
  const out: string[] = []
  const print = (line: string): void => void out.push(line)
  return { code: await cli(['trace', ...args], { print, warn: print, color: false }), out: out.join('\n') }
}

test('a recording gives back every event and the graph, and answers questions as any store', async () => {
  const store = await openStore(file)
  assert.deepEqual(await eventsOf(store), JSON.parse(JSON.stringify(events)))
  const [made] = await store.runs()
  assert.deepEqual(
    made!.graph!.nodes.map(({ id }) => id),
    priced.nodes.map(({ id }) => id),
  )
  assert.equal((await traces(store)).total, events.filter(({ kind }) => kind === 'open').length)
  const { code, out } = await ask('open', file, '--json')
  assert.equal(code, 0, out)
  const { runs, tornBytes, damagedBlocks } = JSON.parse(out)
  assert.deepEqual([runs[0].events, tornBytes, damagedBlocks], [events.length, 0, 0])
  assert.equal((await ask('export', file, '--format', 'recording', '--out', `${file}.again`)).code, 0)
  assert.deepEqual(await eventsOf(await openStore(`${file}.again`)), await eventsOf(store))
})

test('a recording that was cut is read up to there; one that is damaged or foreign says so', async () => {
  const whole = await readFile(file)
  const cut = `${file}.cut`
  for (const share of [0.5, 0.9, 0.999]) {
    await writeFile(cut, whole.subarray(0, Math.floor(whole.length * share)))
    const store = await Recording.open(cut)
    const found = await eventsOf(store)
    assert.ok(found.length > 0 && found.length <= events.length)
    assert.deepEqual(
      found,
      JSON.parse(JSON.stringify(events.filter(({ sequence }) => found.some((each) => each.sequence === sequence)))),
    )
    assert.ok(store.damage.tornBytes > 0 || found.length === events.length)
  }
  const lines = whole.toString().split('\n')
  await writeFile(cut, [...lines.slice(0, 5), 'no json', ...lines.slice(6)].join('\n'))
  assert.deepEqual((await Recording.open(cut)).damage, { tornBytes: 0, damagedBlocks: 1 })
  await writeFile(cut, [...lines.slice(0, 5), ...lines.slice(6)].join('\n'))
  assert.equal((await Recording.open(cut)).damage.damagedBlocks, 1)
  await writeFile(cut, whole.toString().replace('"version":1', '"version":2'))
  await assert.rejects(openStore(cut), { code: 'TRACE_STORE_UNUSABLE' })
  const { code, out } = await ask('open', cut)
  assert.equal(code, 1)
  assert.match(out, /recording of version 2, and this is version 1/)
  await writeFile(cut, '{"millrace":"recording","runs":7}\n')
  await assert.rejects(openStore(cut), { code: 'TRACE_STORE_UNUSABLE' })
  await writeFile(cut, '')
  await appendFile(cut, 'neither')
  await assert.rejects(openStore(cut))
})

test('captured records are put through a node once more: the same comes of them, or it is told what does', async () => {
  const store = await openStore(file)
  for (const node of ['price', 'cheap', 'parts']) {
    const found = await replayNode(store, priced, { node })
    assert.ok(found.length >= ITEMS / 3, `${node}: ${found.length}`)
    const odd = found.filter(({ verdict }) => verdict !== 'same')
    assert.deepEqual(odd, [], node)
  }
  const changed = (await replayNode(store, repriced, { node: 'price' })).filter(({ verdict }) => verdict === 'changed')
  assert.deepEqual(
    changed.map(({ was, is }) => [was[0]?.json, is[0]!.json]),
    [42, 142, 242].map((id) => [`{"id":${id},"cents":${100 * id}}`, `{"id":${id},"cents":7}`]),
  )
  const [one] = changed
  assert.equal((await replayNode(store, repriced, { node: 'price', record: one!.record })).length, 1)
  await assert.rejects(replayNode(store, priced, { node: 'out' }), { code: 'HANDLER_MISSING' })
  await assert.rejects(replayNode(store, priced, { node: 'nowhere' }), { code: 'NODE_UNKNOWN' })
})

test('the command replays: exit code 1 and the difference where something else comes', async () => {
  const graph = ['--module', 'build/test/trace/priced.js', '--graph']
  const same = await ask('replay', file, ...graph, 'priced', '--node', 'price')
  assert.equal(same.code, 0, same.out)
  assert.match(same.out, /\d+ records: \d+ as before, 0 changed/)
  const other = await ask('replay', file, ...graph, 'repriced', '--node', 'price')
  assert.equal(other.code, 1, other.out)
  assert.match(other.out, /- edge 1: \{"id":42,"cents":4200\}\n {2}\+ edge 1: \{"id":42,"cents":7\}/)
  assert.equal((await ask('replay', file, '--node', 'price')).code, 2)
})

test('a captured record is put into the running pipeline once more', async () => {
  const pipeline = await run(priced, { trace: ALL, inject: true })
  const reading = (async () => {
    for await (const _ of pipeline.output('out'));
  })()
  const { served } = await import('../control/harness.js')
  await served(pipeline, {}, async ({ ask: http, get }) => {
    await until('traces', async () => (await get('/pipelines/priced/traces?node=price')).total > 0)
    const [{ trace }] = (await get('/pipelines/priced/traces?node=price&limit=1')).traces
    const { spans } = await get(`/pipelines/priced/traces/${trace}`)
    const { made } = spans.find(({ event }: any) => event.kind === 'open').event
    const record = `${made.base}:${made.first}`
    const dry = await http('POST', '/pipelines/priced/replay', { record, dry: true })
    assert.deepEqual([dry.status, dry.json.content, dry.json.pushed], [200, undefined, undefined], dry.text)
    const answer = await http('POST', '/pipelines/priced/replay', { record, node: 'price', waitMs: 1_000 })
    // A pipeline whose source has ended takes no more.
    assert.ok(answer.status === 200 || answer.json.error.code === 'PIPELINE_NOT_RUNNING', answer.text)
    const unknown = await http('POST', '/pipelines/priced/replay', { record: 'f'.repeat(16) })
    assert.equal(unknown.json.error.code, 'TRACE_UNKNOWN')
  })
  await reading
  await pipeline.finished.catch(() => undefined)
})

const ids = (all: TraceEvent['inputs']): string[] =>
  all
    .filter(({ edge }) => edge === 1)
    .flatMap((each) => Array.from({ length: each.count }, (_, i) => recordIdAt(each, i)))

test('any moment of a recording can be looked at: nothing waits before the first and after the last', async () => {
  const store = await openStore(file)
  const times = events.map(({ handedOffAt }) => handedOffAt).sort((a, b) => a - b)
  const first = await moment(store, { at: times[0]! - 1_000 })
  assert.deepEqual([first.open, first.edges, first.nodes], [0, [], []])
  const last = await moment(store, { at: times.at(-1)! + 1 })
  assert.equal(last.open, 0)
  assert.ok(last.edges.every(({ waiting }) => waiting === 0))
  assert.ok(last.nodes.every(({ inHand }) => inHand === 0))
  // Between, what was sent by then and not taken is counted from the events one by one.
  for (const at of [0.3, 0.5, 0.8].map((share) => times[Math.floor(share * times.length)]!)) {
    const told = await moment(store, { at })
    const sent = new Set(events.filter(({ handedOffAt }) => handedOffAt <= at).flatMap(({ outputs }) => ids(outputs)))
    const taken = new Set(events.filter(({ takenAt }) => takenAt <= at).flatMap(({ inputs }) => ids(inputs)))
    const waiting = sent.size - [...taken].filter((id) => sent.has(id)).length
    assert.equal(told.edges.find(({ edge }) => edge === 1)?.waiting ?? 0, waiting)
    assert.ok(told.open >= 0)
  }
  const { code, out } = await ask('moment', file, '--at', new Date(times[Math.floor(times.length / 2)]!).toISOString())
  assert.equal(code, 0, out)
  assert.match(out, /traces were open/)
})
