/** Every code is provoked as a user would meet it. The type of the table below names all of them: none can be forgotten. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { after, test } from 'node:test'
import { drawCommand } from '#src/cli/draw.js'
import { loadGraph, loadMeasurements } from '#src/cli/load-graph.js'
import { GroupWriter } from '#src/durable/entries.js'
import { Journal } from '#src/lane/journal.js'
import { traceCommand } from '#src/cli/trace.js'
import { PostgresStore } from '#src/trace/store/sql/postgres-store.js'
import { openSqlite } from '#src/trace/store/sql/sqlite.js'
import { viewMemory } from '#src/memory/memory.js'
import {
  type DeadLetter,
  ERROR_CODES,
  type ErrorCode,
  type GraphData,
  MillraceError,
  type Pipeline,
  type RunOptions,
  dataflow,
  run,
} from 'millrace'
import { graphFromJson, reachable, simulate, whatIf } from 'millrace/analysis'
import { type AnyFlow, type RequestOptions, type SharedFlowStore, flow, openFlowStore, runFlow } from 'millrace/flow'
import { serveFlows } from 'millrace/flow/server'
import { natsSource } from 'millrace/nats'
import { plan } from 'millrace/plan'
import { inline } from 'millrace/test'
import { theme, toDot, toSvg, views } from 'millrace/render'
import { type Fault, FaultyDisk } from '../durable/faulty-disk.js'
import { openOn } from '../durable/workload.js'
import * as flows from '../flow/flows.js'
import { until } from '../run/harness.js'
import * as graphs from './graphs.js'
import { keyless, otherInWorkers } from './modules/editions.js'
import { runsItself } from './modules/runs.js'

interface Told {
  readonly code?: string | undefined
  readonly message: string
}

/** What `act` throws or rejects with. */
async function thrown(act: () => unknown): Promise<MillraceError> {
  try {
    await act()
  } catch (error) {
    assert.ok(error instanceof MillraceError, `a MillraceError, not ${String(error)}`)
    return error
  }
  return assert.fail('nothing was thrown')
}

/** A store that other instances do not use. */
function sharedByNobody(): SharedFlowStore {
  const store = { register: nothing, leave: nothing, sweep: nothing, listen: () => makesNothing }
  return { isShared: true, ...store, take: async () => [], save: async () => [] } as unknown as SharedFlowStore
}

async function nothing(): Promise<void> {
  // Nobody is told.
}

function makesNothing(): void {
  // It should.
}

/** What the first record that is given up says. */
async function given(graph: GraphData, options: RunOptions = {}): Promise<Told> {
  const letters: DeadLetter[] = []
  const pipeline = await run(graph, options)
  const report = await pipeline.finished
  letters.push(...pipeline.deadLetters.list())
  assert.ok(report.failed > 0 && letters.length > 0, 'a record has failed')
  return letters[0]!.error
}

/** Why a request is not answered. */
async function asked(
  which: AnyFlow,
  input: unknown,
  options: RequestOptions = {},
  params?: unknown,
): Promise<MillraceError> {
  const running = await runFlow(which, { params } as never)
  try {
    return await thrown(() => running.execute(input, options))
  } finally {
    await running.pipeline.stop()
  }
}

/** The same, as the step said it. */
async function stepSaid(which: AnyFlow, input: unknown): Promise<Told> {
  const { code, cause } = await asked(which, input)
  assert.equal(code, 'REQUEST_FAILED')
  return cause as Told
}

/** Why a start failed. */
async function refused(graph: GraphData, options: RunOptions = {}): Promise<Told> {
  const { code, cause } = await thrown(() => run(graph, options))
  assert.equal(code, 'START_FAILED')
  return cause as Told
}

/** Why a pipeline ended that had started: the death that it could not bear. */
async function died(graph: GraphData): Promise<MillraceError> {
  const pipeline = await run(graph)
  const { code, cause } = await thrown(() => pipeline.finished)
  assert.equal(code, 'RESTARTS_EXHAUSTED')
  return cause as MillraceError
}

const durableFolder = mkdtempSync(join(tmpdir(), 'millrace-'))
after(() => rmSync(durableFolder, { recursive: true }))

/** Why a record is not kept. */
async function onFaultyDisk(what: Fault): Promise<MillraceError> {
  // Behind what it takes to open it.
  const disk = new FaultyDisk(() => 0.5, { at: what === 'full' ? 6 : 7, what })
  const journal = await openOn(disk)
  return new Promise((resolve) => {
    journal.push({ node: 'in', isCall: false, value: 'x' }, (error) => resolve(error!))
  })
}

const isCode = (path: string): boolean => !/\.(?:map|d\.ts)$/.test(path)

/** What a module of this library throws where only these packages are installed beside it. */
async function alone(file: string, packages: readonly string[], act: (module: any) => unknown): Promise<Told> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  try {
    cpSync(new URL('../../../dist', import.meta.url), join(folder, 'dist'), { recursive: true, filter: isCode })
    const imports = { '#atomics': './dist/atomics.js' }
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ version: '0.0.0', type: 'module', imports }))
    mkdirSync(join(folder, 'node_modules'))
    const installed = fileURLToPath(new URL('../../../node_modules/', import.meta.url))
    for (const name of packages) {
      const at = join(folder, 'node_modules', name)
      mkdirSync(dirname(at), { recursive: true })
      symlinkSync(join(installed, name), at)
    }
    // Its class of errors is that copy's own.
    const module: unknown = await import(pathToFileURL(join(folder, 'dist', file)).href)
    await act(module)
  } catch (error) {
    return error as Told
  } finally {
    rmSync(folder, { recursive: true })
  }
  return assert.fail('nothing was thrown')
}

/** What a worker does before its first record. */
function setUp({ setup }: { setup?: unknown }): unknown {
  const { signal } = new AbortController()
  return (setup as (context: object) => unknown)({
    node: 'in',
    worker: 0,
    workers: 1,
    epoch: 0,
    params: undefined,
    signal,
  })
}

async function withPipeline(
  graph: GraphData,
  act: (pipeline: Pipeline) => unknown,
  options: RunOptions = {},
): Promise<MillraceError> {
  await using pipeline = await run(graph, options)
  return await thrown(() => act(pipeline))
}

function call(positionals: string[], values: Record<string, string> = {}): Parameters<typeof loadGraph>[0] {
  return { positionals, values, output: { print: () => undefined, warn: () => undefined, color: false } }
}

/** Each node leads to every other one. */
function tangle(): GraphData {
  const ids = Array.from({ length: 260 }, (_, i) => `n${i}`)
  return {
    name: 'tangle',
    nodes: [
      { id: 'in', kind: 'source', rate: 1 },
      ...ids.map((id) => ({ id, kind: 'transform' as const })),
      { id: 'out', kind: 'sink' },
    ],
    edges: [
      { from: 'in', to: 'n0' },
      ...ids.flatMap((from) =>
        ids.filter((to) => to !== from).map((to) => ({ from, to, when: to, ratio: 0.9 / ids.length })),
      ),
      { from: 'n0', to: 'out', when: 'out', ratio: 0.05 },
    ],
    clusters: [],
  }
}

/** Codes of the control API and of that of flows: they are provoked over HTTP, in `test/control` and `test/flow`. */
const HTTP_TESTS = ['control', 'flow'].map((folder) => fileURLToPath(new URL(`../${folder}/`, import.meta.url)))
const OVER_HTTP = [
  'PIPELINE_UNKNOWN',
  'IMPORT_UNKNOWN',
  'PIPELINE_NAME_TAKEN',
  'PIPELINE_STARTING',
  'INJECT_OFF',
  'TRACING_OFF',
  'HISTOGRAM_UNKNOWN',
  'DEAD_LETTER_UNKNOWN',
  'DEAD_LETTER_EMPTY',
  'RECEIPT_UNKNOWN',
  'KEY_REUSED',
  'REQUEST_INVALID',
  'ADDRESS_UNKNOWN',
  'METHOD_NOT_ALLOWED',
  'REQUEST_TOO_SLOW',
  'BODY_TOO_LARGE',
  'BODY_NOT_JSON',
  'HEADERS_TOO_LARGE',
  'TOKEN_MISSING',
  'TOKEN_WRONG',
  'ORIGIN_REFUSED',
  'COMMANDS_TOO_FAST',
  'SUBSCRIBERS_TOO_MANY',
  'RECORDS_WAITING',
  'ADDRESS_NEEDS_TOKEN',
  'CONTROL_NOT_LISTENING',
  'CONTROL_UNREACHABLE',
  'FLOW_UNKNOWN',
  'REQUEST_ENDED',
  'REQUEST_OPEN',
  'CALLBACK_REFUSED',
] as const

/** Codes that need a server of a connector: they are provoked in `test/connectors`, for each of them. */
const CONNECTOR_TESTS = fileURLToPath(new URL('../connectors/guarantees.js', import.meta.url))
const AT_SERVERS = ['CONNECTOR_REFUSED', 'MESSAGE_UNREADABLE', 'MESSAGE_UNDELIVERABLE'] as const

type Elsewhere = (typeof OVER_HTTP)[number] | (typeof AT_SERVERS)[number]
const PROVOKED: Readonly<Record<Exclude<ErrorCode, Elsewhere>, () => Told | Promise<Told>>> = {
  GRAPH_INVALID: () => thrown(() => plan(dataflow('empty'))),
  GRAPH_JSON_INVALID: () => thrown(() => graphFromJson('{')),
  EDGE_UNKNOWN: () => thrown(() => whatIf(graphs.good, { edges: { 99: { ratio: 1 } } })),
  OPTIONS_INVALID: () => thrown(() => run(graphs.good, { laneBytes: -1, deadlineMs: NaN })),
  PLAN_TOO_LARGE: () =>
    thrown(() =>
      plan(
        dataflow('wide')
          .source('in', { concurrency: 16, produce: () => [] })
          .sink('out', { concurrency: 16, write: () => undefined })
          .connect('in', 'out'),
        { laneBytes: 536_870_912 },
      ),
    ),
  START_FAILED: () => thrown(() => run(graphs.setupThrows)),
  START_TIMEOUT: () => thrown(() => run(graphs.setupHangs, { startDeadlineMs: 500, deadlineMs: 100 })),
  WORKER_DIED: () => died(graphs.dies),
  RESTARTS_EXHAUSTED: async () => {
    const { finished } = await run(graphs.dies)
    return thrown(() => finished)
  },
  STAGE_POISONED: async () => {
    const { finished } = await run(graphs.poisoned, { restart: { maxPoison: 0 } })
    return thrown(() => finished)
  },
  PIPELINE_NOT_RUNNING: async () => {
    const pipeline = await run(graphs.pushed)
    await pipeline.stop()
    return thrown(() => pipeline.push('in', 1))
  },
  JOURNAL_IN_USE: () => {
    const durable = { dir: join(durableFolder, 'used') }
    return withPipeline(graphs.pushed, () => run(graphs.pushed, { durable }), { durable })
  },
  JOURNAL_DIFFERS: async () => {
    const durable = { dir: join(durableFolder, 'other') }
    await (await run(graphs.pushed, { durable })).stop()
    return thrown(() => run(graphs.pushedToTimer, { durable }))
  },
  JOURNAL_CORRUPT: async () => {
    const dir = join(durableFolder, 'corrupt')
    for (let life = 0; life < 2; life++) await (await run(graphs.pushed, { durable: { dir } })).stop()
    const segment = join(
      dir,
      readdirSync(dir).find((name) => name.endsWith('.journal'))!,
    )
    const bytes = readFileSync(segment)
    bytes[30]! ^= 1
    writeFileSync(segment, bytes)
    return thrown(() => run(graphs.pushed, { durable: { dir } }))
  },
  JOURNAL_VERSION: async () => {
    const dir = join(durableFolder, 'newer')
    mkdirSync(dir, { recursive: true })
    const group = new GroupWriter()
    const head = { format: 9, journal: [1, 2], graph: 'pushed', segment: 1, next: 0, nodes: [], cursors: [] } as const
    group.opened(head)
    writeFileSync(join(dir, '000000000001.journal'), group.seal({ salt: 1, number: 0, synced: 0 }))
    return thrown(() => run(graphs.pushed, { durable: { dir } }))
  },
  JOURNAL_FULL: () => onFaultyDisk('full'),
  JOURNAL_FAILED: () => onFaultyDisk('syncFails'),
  NODE_NOT_PUSHED: () => withPipeline(graphs.good, (pipeline) => pipeline.push('work', 1)),
  NODE_NOT_OUTPUT: () => withPipeline(graphs.good, (pipeline) => pipeline.output('out')),
  NODE_NOT_SOURCE: () => withPipeline(graphs.good, (pipeline) => pipeline.pause('work')),
  FLOW_NAME_TAKEN: () => thrown(() => serveFlows([flows.said, flows.said])),
  FLOW_INVALID: () => thrown(() => flow('empty').nodes),
  BRANCH_UNKNOWN: () => stepSaid(flows.branches, { n: 1, take: ['nowhere'] }),
  BRANCH_NONE: () => stepSaid(flows.strict, 0),
  ITEMS_INVALID: () => stepSaid(flows.listless, 5),
  ITEMS_TOO_MANY: () => stepSaid(flows.collecting, 21),
  ANSWER_TOO_LARGE: () => stepSaid(flows.sizes, 200_000),
  REQUEST_FAILED: () => asked(flows.diamond, { n: 1, fails: 'left' }),
  REQUEST_STOPPED: async () => {
    const running = await runFlow(flows.waiting, { params: { counts: new SharedArrayBuffer(12) } })
    const refused = thrown(() => running.execute(60_000, { id: 'one' }))
    await running.stop('one')
    await running.drain()
    return refused
  },
  REQUEST_TIMED_OUT: () => asked(flows.waiting, 60_000, { timeoutMs: 5 }, { counts: new SharedArrayBuffer(12) }),
  REQUEST_UNKNOWN: async () => {
    await using running = await runFlow(flows.said)
    return thrown(() => running.stop('nobody'))
  },
  STEPS_NOT_KEPT: async () => {
    await using running = await runFlow(flows.said)
    void running.start('x', { id: 'x' })
    return thrown(() => running.pause('x'))
  },
  FLOW_STORE_NOT_SHARED: () => thrown(() => openFlowStore('requests.db', { shared: true })),
  FLOW_ROLE_MISSING: () => thrown(() => runFlow(flows.kept, { store: { isShared: true } as never })),
  FLOW_TAKES_NO_REQUESTS: async () => {
    await using running = await runFlow(flows.kept, { store: sharedByNobody(), role: 'worker' })
    return thrown(() => running.start({ log: '', items: 1 }))
  },
  FLOW_STORE_UNUSABLE: () => thrown(() => openFlowStore('postgres://127.0.0.1:1/none')),
  PART_UNKNOWN: () => thrown(() => plan(graphs.good, { part: 'nowhere' })),
  NODE_UNKNOWN: () => thrown(() => reachable(graphs.good, ['nowhere'])),
  WORKER_UNKNOWN: () => withPipeline(graphs.good, (pipeline) => pipeline.restartWorker('work', 3)),
  RESIZE_REFUSED: () => withPipeline(graphs.good, (pipeline) => pipeline.resize('work', 2)),
  PROBE_REFUSED: () => withPipeline(graphs.pushed, (pipeline) => pipeline.probe('in')),
  RECORD_FAILED: () => withPipeline(graphs.pushed, (pipeline) => pipeline.call('in', -1)),
  RECORD_ABANDONED: async () => {
    const pipeline = await run(graphs.pushedToTimer)
    const open = thrown(() => pipeline.call('in', 1))
    const receipt = await pipeline.push('in', 2)
    void pipeline.stop()
    assert.equal((await open).code, 'RECORD_ABANDONED')
    return thrown(() => receipt.done)
  },
  CALL_UNANSWERED: () => withPipeline(graphs.pushed, (pipeline) => pipeline.call('in', 2)),
  RECORD_NOT_ENCODABLE: () => given(graphs.notEncodable),
  RECORD_TOO_DEEP: () => given(graphs.tooDeep),
  INLINE_NOT_OVER: () => thrown(() => inline(graphs.good, { maxSteps: 1 })),
  RECORD_TOO_LARGE: () => given(graphs.tooLarge, { maxRecordBytes: 2_048 }),
  RECORD_POISONED: () => given(graphs.poisoned),
  RECORD_NOT_REPEATED: async () => {
    await using pipeline = await run(graphs.forgetful)
    const written = (): number => pipeline.snapshot().nodes['slow']!.done
    while (pipeline.deadLetters.list().length === 0) {
      const before = written()
      await until(() => written() > before, 'more is written')
      await pipeline.restartWorker('queue', 0)
    }
    return pipeline.deadLetters.list()[0]!.error
  },
  HANDLER_TIMEOUT: () => given(graphs.timesOut),
  STAGE_DETACHED: async () => {
    const pipeline = await run(graphs.detaches)
    await until(() => pipeline.deadLetters.list().length > 0, 'a record fails')
    await pipeline.stop()
    return pipeline.deadLetters.list()[0]!.error
  },
  ACK_FAILED: async () => {
    const { finished } = await run(graphs.ackFails)
    return thrown(() => finished)
  },
  CURSOR_TOO_LARGE: async () => (await died(graphs.largeCursor)).cause as Told,
  RECEIPT_TOO_LARGE: async () => (await died(graphs.largeReceipt)).cause as Told,
  NOTE_INVALID: () => given(graphs.badNote),
  META_INVALID: () => given(graphs.badMeta),
  RECORD_EXPIRED: () => given(graphs.expired),
  RELEASE_REFUSED: () => given(graphs.badRelease),
  FAIL_INDEX_INVALID: () => given(graphs.badFailAt),
  KEY_INVALID: async () => {
    assert.equal((await given(graphs.badBatchKey)).code, 'KEY_INVALID')
    return given(graphs.badPartition)
  },
  ROUTE_UNKNOWN: async () => {
    assert.equal((await given(graphs.badEmit)).code, 'ROUTE_UNKNOWN')
    return given(graphs.badRoute)
  },
  FUSED_HANDLER_ASYNC: () => given(graphs.fusedAsync),
  HANDLER_RESULT_INVALID: async () => {
    assert.match((await died(graphs.badProduce)).message, /HANDLER_RESULT_INVALID/)
    return given(graphs.badFlatMap)
  },
  HANDLER_MISSING: async () => {
    assert.match((await died(keyless)).message, /HANDLER_MISSING.*partitionBy/)
    return refused(graphs.missingHandler)
  },
  MODULE_MISSING: () =>
    thrown(() =>
      run(
        dataflow('nowhere')
          .source('in', { produce: () => [1] })
          .sink('out')
          .connect('in', 'out'),
      ),
    ),
  MODULE_NOT_LOADED: async () => {
    assert.equal((await refused(graphs.moduleThrows)).code, 'MODULE_NOT_LOADED')
    return refused(graphs.missingModule)
  },
  GRAPH_NOT_EXPORTED: () =>
    refused(
      dataflow('hidden', import.meta.resolve('./modules/handlers.js'))
        .source('in', { produce: () => [1] })
        .sink('out')
        .connect('in', 'out'),
    ),
  GRAPH_DIFFERS: () => refused(graphs.good.sink('more', { write: () => undefined }).connect('work', 'more')),
  MAKER_INVALID: () => thrown(() => run(makesNothing as unknown as () => GraphData)),
  LANE_DIFFERS: () => refused(otherInWorkers),
  FILE_NOT_READ: () => thrown(() => loadGraph(call(['nothing.json']))),
  FILE_NOT_WRITTEN: () =>
    thrown(() => drawCommand.run(call(['build/examples/walkthrough/2-iot.js'], { out: 'no-such-folder/picture.dot' }))),
  MEASUREMENTS_INVALID: () => thrown(() => loadMeasurements(call([], { measurements: 'package.json' }))),
  CONNECTOR_NOT_INSTALLED: () =>
    alone('connectors/nats/index.js', ['@msgpack/msgpack'], ({ natsSource }) =>
      setUp(natsSource({ stream: 's', consumer: 'c' })),
    ),
  CONNECTOR_UNREACHABLE: () =>
    thrown(() => setUp(natsSource({ servers: 'nats://127.0.0.1:1', stream: 's', consumer: 'c' }))),
  TRACE_STORE_NOT_INSTALLED: () =>
    thrown(() => openSqlite('nowhere', () => Promise.reject(new Error('no such package')))),
  TRACE_STORE_UNUSABLE: () => thrown(() => PostgresStore.open('postgres://127.0.0.1:1/nowhere')),
  TRACE_UNKNOWN: () => thrown(() => traceCommand.run(call(['show', 'docs', '0'.repeat(32)]))),
  RUN_WHILE_LOADING: () => refused(runsItself),
  INTERNAL: () => {
    // No graph leads here: the journal is planned for all that a worker can write.
    const layout = { offset: 0, entries: 1, counters: 0, countersOffset: 1_024 }
    const journal = new Journal(viewMemory(new ArrayBuffer(2_048)), layout)
    return thrown(() => {
      for (let i = 0; i < 3; i++) journal.set(i, 1)
    })
  },
  LOOP_TOO_LARGE: () => thrown(() => simulate(tangle())),
  THEME_UNKNOWN: () => thrown(() => toDot(graphs.good, { theme: theme('sunny' as 'dark') })),
  VIEW_INVALID: () => thrown(() => views.zoom(7)(graphs.good)),
  SVG_RENDERER_MISSING: () => alone('render/svg.js', [], ({ toSvg }) => toSvg(graphs.good)),
  CONTROL_NOT_INSTALLED: () => alone('cli/load-control.js', [], ({ loadControl }) => loadControl()),
  MCP_NOT_INSTALLED: () => alone('cli/mcp.js', [], ({ mcpCommand }) => mcpCommand.run(call(['http://127.0.0.1:1']))),
  // A theme that no compiler has seen: all that has the right type is drawn.
  SVG_NOT_DRAWN: () =>
    thrown(() =>
      toSvg(dataflow('odd').source('in', {}), { theme: theme('default', { splines: { html: '<b' } as never }) }),
    ),
}

/** Failures of the installation have no place in a graph. */
const WITHOUT_PLACE: ReadonlySet<ErrorCode> = new Set(['SVG_RENDERER_MISSING', 'MCP_NOT_INSTALLED'])

for (const [code, provoke] of Object.entries(PROVOKED) as [ErrorCode, () => Told | Promise<Told>][]) {
  test(`${code} says what happened, where, and what to do`, async () => {
    const { text, fix } = ERROR_CODES[code]
    const told = await provoke()
    assert.equal(told.code, code)
    assert.ok(told.message.startsWith(`${code}: ${text}`), `what happened: ${told.message}`)
    const { problems } = (told instanceof MillraceError ? told.detail : {}) as { problems?: readonly { fix: string }[] }
    const wayOut = problems?.at(-1)?.fix ?? fix
    assert.ok(told.message.endsWith(wayOut), `what to do: ${told.message}`)
    const where = told.message.slice(`${code}: ${text}`.length, -wayOut.length)
    if (!WITHOUT_PLACE.has(code)) assert.match(where, /\w/, `where: ${told.message}`)
  })
}

test('an error is an Error: one class, with its code, its detail, its fix and its cause', () => {
  const cause = new Error('why')
  const error = new MillraceError('NODE_UNKNOWN', { node: 'x', count: 1n }, { cause })
  assert.ok(error instanceof Error)
  assert.equal(error.name, 'MillraceError')
  assert.equal(error.cause, cause)
  assert.equal(error.fix, ERROR_CODES.NODE_UNKNOWN.fix)
  assert.deepEqual(error.detail, { node: 'x', count: 1n })
})

for (const code of OVER_HTTP) {
  test(`${code} is provoked over HTTP`, () => {
    const tests = HTTP_TESTS.flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
    assert.ok(tests.some((file) => file.endsWith('.test.js') && readFileSync(file, 'utf8').includes(code)))
  })
}

for (const code of AT_SERVERS) {
  test(`${code} is provoked at the servers of connectors`, () => {
    assert.ok(readFileSync(CONNECTOR_TESTS, 'utf8').includes(code))
  })
}
