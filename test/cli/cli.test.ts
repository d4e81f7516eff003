import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cli } from '#src/cli/cli.js'
import { COMMANDS } from '#src/cli/commands.js'
import { type GraphDiff, graphToJson, type Rehearsal } from 'millrace'
import { measured } from '../analysis/measurements.js'
import iot from '../../examples/walkthrough/2-iot.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
after(() => rmSync(folder, { recursive: true }))
const example = (name: string): string =>
  fileURLToPath(new URL(`../../examples/walkthrough/${name}.js`, import.meta.url))
const IOT = example('2-iot')

interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function millrace(...args: string[]): Promise<Run> {
  const out: string[] = []
  const err: string[] = []
  const code = await cli(args, {
    print: (text) => void out.push(text),
    warn: (text) => void err.push(text),
    color: false,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

function file(name: string, content: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(fileURLToPath(import.meta.resolve('millrace/package.json')), 'utf8')) as {
    version: string
  }
  assert.deepEqual(await millrace('--version'), { code: 0, out: version, err: '' })
})

const wrong = file('wrong.json', {
  name: 'wrong',
  nodes: [
    { id: 'in', kind: 'source', rate: '10' },
    { id: 'out', kind: 'sink', latencyMS: 3 },
  ],
  edges: [
    { from: 'in', to: 'nowhere' },
    { from: 'in', to: 'out' },
  ],
})

test('help lists the commands, and each command its options', async () => {
  const overview = await millrace('--help')
  assert.equal(overview.code, 0)
  for (const command of ['check', 'simulate', 'rehearse', 'diff', 'draw']) {
    assert.match(overview.out, new RegExp(`^ {2}${command} `, 'm'))
    const help = await millrace(command, '--help')
    assert.equal(help.code, 0)
    assert.match(help.out, /--json/)
    assert.ok(
      help.out.split('\n').every((line) => line.length <= 140),
      command,
    )
  }
})

test('wrong use is exit code 2 and says how to use it', async () => {
  const wrongly: [string[], RegExp][] = [
    [[], /Usage: millrace COMMAND/],
    [['fly'], /no command "fly"/],
    [['check'], /Name a graph/],
    [['check', IOT, IOT], /Name one graph only/],
    [['check', IOT, '--loud'], /--loud/],
    [['simulate', IOT, '--cores', 'many'], /--cores takes a number/],
    [['simulate', IOT, '--set', 'parser'], /--set takes NODE\.OPTION=VALUE/],
    [['simulate', IOT, '--set', 'parser.concurrency=none'], /must be an integer/],
    [['draw', IOT, '--format', 'png'], /--format takes mermaid, dot, svg/],
    [['draw', IOT, '--theme', 'neon'], /--theme takes default/],
    [['draw', IOT, '--view', 'upside=down'], /--view takes/],
    [['draw', IOT, '--view', 'between=parser,nowhere'], /two nodes/],
    [['draw', IOT, '--view', 'only=pipe'], /only=KIND/],
    [['draw', IOT, '--path', 'parser,nowhere'], /--path FROM,TO takes the ids of two nodes/],
    [['draw', IOT, '--path', 'influxdb,parser'], /there is no path from influxdb to parser/],
    [['draw', IOT, '--path', 'parser,influxdb', '--by', 'beauty'], /--by takes hops, latency/],
    [['draw', IOT, '--by', 'latency'], /it takes --path/],
  ]
  for (const [args, message] of wrongly) {
    const { code, out, err } = await millrace(...args)
    assert.equal(code, 2, args.join(' '))
    assert.match(out + err, message)
  }
})

test('check: a sound graph is exit code 0', async () => {
  const { code, out } = await millrace('check', IOT)
  assert.equal(code, 0)
  assert.match(out, /^iot: 8 nodes, 7 edges, no problems$/m)
})

test('check: errors are exit code 1, and each names its place and a way out', async () => {
  const { code, out } = await millrace('check', wrong)
  assert.equal(code, 1)
  assert.match(out, /^error {4}OPTION_TYPE_WRONG$/m)
  assert.match(out, /Node `in`: `rate` must be a number of at least 0 \(records\/s\), not "10"\./)
  assert.match(out, /Did you mean `latencyMs`\?/)
  assert.match(out, /wrong: 2 nodes, 2 edges, 3 errors$/m)
})

test('check: warnings are exit code 0, and 1 with --strict', async () => {
  const broken = [example('5-repair'), '--graph', 'broken']
  assert.equal((await millrace('check', ...broken)).code, 0)
  assert.equal((await millrace('check', ...broken, '--strict')).code, 1)
  assert.equal((await millrace('check', example('5-repair'), '--strict')).code, 0)
})

test('check: --json is one document', async () => {
  const { code, out } = await millrace('check', wrong, '--json')
  const found = JSON.parse(out) as {
    ok: boolean
    problems: { code: string; edge?: number }[]
    structure: object
    deadlock: object
  }
  assert.equal(code, 1)
  assert.equal(found.ok, false)
  assert.deepEqual(
    found.problems.map((problem) => problem.code),
    ['OPTION_TYPE_WRONG', 'OPTION_UNKNOWN', 'EDGE_NODE_UNKNOWN'],
  )
  assert.ok(found.structure && found.deadlock)
})

test('check: loops are listed with what they hold', async () => {
  const { out } = await millrace('check', example('3-dead-letters'))
  assert.match(out, /router → retry_queue → retry_handler → router {2}yes .*no: it holds all/)
  assert.match(out, /Failures at these nodes take no edge.*validator, processor, postgres/)
})

test('check: what drifted from the measurements is a warning', async () => {
  const path = file('drift.json', measured(iot, { nodes: { parser: { serviceMs: 75 } } }))
  const { code, out } = await millrace('check', IOT, '--measurements', path, '--strict')
  assert.equal(code, 1)
  assert.match(out, /Node `parser` declares `latencyMs` 50, and 75 was measured\./)
  assert.match((await millrace('check', IOT, '--measurements', path, '--tolerance', '9')).out, /no problems/)
})

test('simulate: the bottleneck, every node, buffers, sources and latency', async () => {
  const { code, out } = await millrace('simulate', IOT)
  assert.equal(code, 0)
  assert.match(out, /^iot: 5\/s from 3 sources, limited by aggregator$/m)
  assert.match(out, /^aggregator +transform +5\/s +5\/s +10,000\/s +5\/s {2}████████ 100 % {2}itself$/m)
  assert.match(out, /^parser .* aggregator below it$/m)
  assert.match(out, /^rabbitmq +8,000 +5\/s +20\/s +5\/s +-15\/s +8\.89 min +26\.7 min$/m)
  assert.match(out, /^sensor_a +2,000\/s +1\.67\/s .* aggregator$/m)
  assert.match(out, /^influxdb +250 ms +250 ms +250 ms /m)
  assert.match(out, /^Assumed: `influxdb` declares no `latencyMs`/m)
})

test('simulate: --seconds shows how it begins', async () => {
  const { out } = await millrace('simulate', IOT, '--seconds', '10')
  assert.match(out, /^rabbitmq +20\/s +5\/s +150$/m)
  assert.match(out, /^Not settled yet; at the end aggregator limits the output\.$/m)
  assert.match((await millrace('simulate', IOT, '--seconds', '0')).err, /--seconds takes a number/)
})

test('simulate: --set shows the graph as it is beside the changed one', async () => {
  const { out } = await millrace(
    'simulate',
    IOT,
    '--set',
    'aggregator.concurrency=8',
    '--set',
    'aggregator.latencyMs=100',
  )
  assert.match(out, /What if: 5\/s becomes 20\/s \(× 4\); then parser is the bottleneck\./)
  assert.equal((await millrace('simulate', IOT, '--set', 'nobody.rate=1')).code, 1)
})

test('simulate: measurements take the place of what is declared, and are explained', async () => {
  const path = file(
    'live.json',
    measured(iot, {
      nodes: {
        aggregator: { serviceMs: 100, busy: 0.99 },
        parser: { blocked: 0.9 },
        sensor_a: { blocked: 0.9 },
        sensor_b: { blocked: 0.9 },
        sensor_c: { blocked: 0.9 },
      },
      edges: { 4: { blockedShare: 0.9 } },
    }),
  )
  const { out } = await millrace('simulate', IOT, '--measurements', path)
  assert.match(out, /^iot: 10\/s/m)
  assert.match(out, /Measured: `aggregator` is busy 99 % of the time; `parser` waits for it 90 % of the time\./)
})

test('simulate: a graph with errors is not predicted', async () => {
  const { code, out, err } = await millrace('simulate', wrong)
  assert.deepEqual([code, out], [1, ''])
  assert.match(err, /OPTION_TYPE_WRONG/)
  assert.equal((await millrace('simulate', wrong, '--json')).code, 1)
})

test('simulate: --json has every figure', async () => {
  const found = JSON.parse((await millrace('simulate', IOT, '--json', '--set', 'parser.latencyMs=1')).out) as Record<
    string,
    unknown
  >
  assert.deepEqual(Object.keys(found), [
    'graph',
    'problems',
    'simulation',
    'bottlenecks',
    'maxRate',
    'latency',
    'retryLoops',
    'sizing',
    'whatIf',
  ])
})

test('draw: Mermaid by default, other formats by name or by the file', async () => {
  assert.match((await millrace('draw', IOT)).out, /^flowchart LR$/m)
  assert.match((await millrace('draw', IOT, '--format', 'dot')).out, /^digraph "iot" \{/)
  const out = join(folder, 'iot.svg')
  assert.deepEqual(await millrace('draw', IOT, '--out', out), { code: 0, out: '', err: '' })
  assert.match(readFileSync(out, 'utf8'), /<svg/)
})

test('draw: theme, direction, title, legend, heat and views', async () => {
  const { out } = await millrace(
    'draw',
    IOT,
    '--format',
    'dot',
    '--theme',
    'dark',
    '--direction',
    'TB',
    '--title',
    '--legend',
    '--heat',
    '--view',
    'only=source,transform',
    '--view',
    'up=aggregator',
  )
  assert.match(
    out,
    /rankdir="TB".*bgcolor="#0f172a".*label=<<b>iot<\/b><br\/><font[^>]*>Window Aggregator holds everything up/,
  )
  assert.match(out, /"legend"/)
  assert.match(out, /"sensor_a" -> "parser"/)
  assert.doesNotMatch(out, /"mux"|"influxdb"/)
  assert.match(out, /5\/s · 25 %/)
})

test('draw: every view has its option', async () => {
  const ids = async (...args: string[]): Promise<string> => {
    const { out } = await millrace('draw', example('4-microservices'), '--format', 'dot', ...args)
    return [...out.matchAll(/^ *"([^"]+)" \[/gm)].map(([, id]) => id).join(' ')
  }
  assert.equal(await ids('--view', 'focus=auth'), 'api_gateway auth order_handler')
  assert.equal(await ids('--view', 'focus=auth', '--radius', '0'), 'auth')
  assert.equal(await ids('--view', 'between=payment,push_worker'), 'payment order_db push_worker')
  assert.equal(await ids('--view', 'zoom=0'), 'mobile_app web_app order_db sendgrid firebase')
  assert.equal(await ids('--view', 'down=notification_router'), 'sendgrid firebase notification_router')
  assert.equal(await ids('--view', 'collapse=ingestion', '--view', 'focus=ingestion'), 'ingestion order_handler')
  assert.equal((await millrace('draw', IOT, '--view', 'focus=nobody')).code, 1)
})

test('draw: a node, and the best way between two, in strong lines', async () => {
  // Of a way: both ends, what lies between, and the edges.
  for (const [strong, ...args] of [
    [1, '--highlight', 'mux'],
    [2, '--highlight', 'mux', '--highlight', 'parser'],
    [5, '--path', 'parser,aggregator'],
    [5, '--path', 'parser,aggregator', '--by', 'latency'],
  ] as const) {
    const { out } = await millrace('draw', IOT, '--format', 'dot', ...args)
    assert.equal(out.match(/penwidth=3\.7/g)?.length, strong)
  }
})

test('draw: a graph with problems is drawn, and the problems go to the error output', async () => {
  const { code, out, err } = await millrace('draw', wrong)
  assert.equal(code, 1)
  assert.match(out, /n_in/)
  assert.match(err, /EDGE_NODE_UNKNOWN/)
})

test('draw: --json holds the picture', async () => {
  const found = JSON.parse((await millrace('draw', IOT, '--json')).out) as { format: string; picture: string }
  assert.equal(found.format, 'mermaid')
  assert.match(found.picture, /flowchart/)
})

test('a graph read from JSON is the graph that was written', async () => {
  const path = file('iot.json', graphToJson(iot))
  assert.equal((await millrace('simulate', path)).out, (await millrace('simulate', IOT)).out)
  assert.equal((await millrace('draw', path)).out, (await millrace('draw', IOT)).out)
})

test('figures that must be above 0 are refused at 0', async () => {
  for (const option of ['--cores', '--seconds', '--load-seconds']) {
    const { code, err } = await millrace('simulate', IOT, option, '0')
    assert.equal(code, 2)
    assert.match(err, new RegExp(`^${option} takes a number above 0, not "0"`))
  }
})

test('an id with a typo is refused with the one that was perhaps meant', async () => {
  for (const args of [
    ['simulate', IOT, '--set', 'agregator.concurrency=2'],
    ['draw', IOT, '--view', 'focus=agregator'],
  ]) {
    const { code, err } = await millrace(...args)
    assert.equal(code, 1)
    assert.match(err, /^NODE_UNKNOWN.*node: agregator, near: aggregator/)
  }
})

test('draw: a picture that cannot be written is refused with a code', async () => {
  const { code, err } = await millrace('draw', IOT, '--out', join(folder, 'absent', 'picture.dot'))
  assert.equal(code, 1)
  assert.match(err, /^FILE_NOT_WRITTEN.*picture\.dot/s)
})

test('run: a graph without handlers is refused before anything starts, and rehearsing it is the way out', async () => {
  const { code, out, err } = await millrace('run', IOT)
  assert.deepEqual([code, out], [1, ''])
  assert.match(err, /^HANDLER_MISSING.*`millrace rehearse`/)
})

test('files and modules that are no graph are refused with a code', async () => {
  const refused: [string[], RegExp][] = [
    [['check', join(folder, 'absent.json')], /^FILE_NOT_READ/],
    [['check', join(folder, 'absent.js')], /^FILE_NOT_READ.*absent\.js/],
    [['check', folder], /^FILE_NOT_READ.*a folder/],
    [['check', file('text.json', 'not json')], /^GRAPH_JSON_INVALID/],
    [['check', file('empty.mjs', 'export const x = 1')], /^GRAPH_NOT_EXPORTED/],
    [['check', file('throws.mjs', 'throw new Error("no")')], /^MODULE_NOT_LOADED.*no/],
    [['check', IOT, '--measurements', file('bad.json', { seconds: 0 })], /^MEASUREMENTS_INVALID/],
    [['check', IOT, '--measurements', file('bad2.json', '{')], /^MEASUREMENTS_INVALID/],
  ]
  for (const [args, message] of refused) {
    const { code, err } = await millrace(...args)
    assert.equal(code, 1, args.join(' '))
    assert.match(err, message)
  }
  const asJson = await millrace('check', join(folder, 'absent.json'), '--json')
  assert.equal((JSON.parse(asJson.out) as { error: { code: string } }).error.code, 'FILE_NOT_READ')
})

test('a module that waits for something that never comes is refused, not waited for', () => {
  const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
  const module = file('waits.mjs', 'await new Promise(() => {})')
  const { status, stderr } = spawnSync(process.execPath, [main, 'check', module], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /^MODULE_NOT_LOADED/)
})

test('a module that a timer keeps waiting is given up on after --load-seconds, and the message names it', () => {
  const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
  const module = file('ticks.mjs', 'setInterval(() => {}, 1_000); await new Promise(() => {})')
  const args = [main, 'simulate', module, '--load-seconds', '0.5']
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
  assert.equal(status, 1)
  assert.match(stderr, /^MODULE_NOT_LOADED.*ticks\.mjs.*0\.5 s; --load-seconds/s)
})

test('what a module leaves open does not keep the command', () => {
  const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
  const graph = "export default { name: 'open', nodes: [], edges: [], clusters: [] }"
  const module = file('open.mjs', `setInterval(() => {}, 1_000); ${graph}`)
  const { status, stdout } = spawnSync(process.execPath, [main, 'draw', module], { encoding: 'utf8', timeout: 60_000 })
  assert.notEqual(status, null)
  assert.match(stdout, /flowchart/)
})

test('files may begin with a byte order mark', async () => {
  const graph =
    '\uFEFF{"name":"marked","nodes":[{"kind":"source","id":"in"},{"kind":"sink","id":"out"}],"edges":[{"from":"in","to":"out"}]}'
  assert.match((await millrace('check', file('marked.json', graph))).out, /^marked: 2 nodes/m)
  const measurements = file('marked-measured.json', `\uFEFF${JSON.stringify(measured(iot))}`)
  assert.equal((await millrace('check', IOT, '--measurements', measurements)).code, 0)
})

test('a module with several graphs needs to be told which', async () => {
  const path = file(
    'two.mjs',
    'const g = (name) => ({ name, nodes: [], edges: [], clusters: [] }); export const a = g("first"); export const b = g("second")',
  )
  assert.match(
    (await millrace('check', path)).err,
    /several graphs: choose one of a \(first\), b \(second\) with --graph/,
  )
  assert.match((await millrace('check', path, '--graph', 'b')).out, /second: 0 nodes/)
  assert.match((await millrace('check', path, '--graph', 'first')).out, /first: 0 nodes/)
  assert.match((await millrace('check', path, '--graph', 'c')).err, /GRAPH_NOT_EXPORTED/)
})

test('the program itself: output, error output and exit code', () => {
  const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
  assert.match(execFileSync(process.execPath, [main, 'check', IOT], { encoding: 'utf8' }), /no problems/)
  const failed = spawnSync(process.execPath, [main, 'check', wrong], { encoding: 'utf8' })
  assert.equal(failed.status, 1)
  // Not to a terminal: no colours.
  // oxlint-disable-next-line no-control-regex -- the escape character
  assert.doesNotMatch(failed.stdout, /\u001b/)
})

test('rehearse: --json is predicted beside measured for every node, the largest error, and both bottlenecks', async () => {
  const { code, out, err } = await millrace('rehearse', example('5-repair'), '--seconds', '2', '--json')
  assert.equal(code, 0)
  const { nodes, largestError, bottleneck, ...more } = JSON.parse(out) as Rehearsal
  assert.deepEqual(more, {})
  assert.deepEqual(Object.keys(nodes), ['ingress', 'worker', 'db'])
  for (const { predicted, measured } of Object.values(nodes)) {
    assert.deepEqual(Object.keys(predicted), ['in', 'out', 'utilisation'])
    assert.deepEqual(Object.keys(measured), ['in', 'out', 'utilisation'])
  }
  assert.ok(nodes['worker']!.measured.in > 0)
  assert.equal(typeof largestError, 'number')
  assert.equal(bottleneck.predicted, 'worker')
  // What is not the result goes to the error output.
  assert.match(err, /Rehearsing repair with 3 workers for 2 s/)
})

test('rehearse: a table for people, and a graph with errors is not run', async () => {
  const { code, out } = await millrace('rehearse', example('5-repair'), '--seconds', '1')
  assert.equal(code, 0)
  assert.match(out, /^NODE +KIND +IN +PREDICTED +OFF/m)
  assert.match(out, /^worker +transform/m)
  assert.match(out, /^Bottleneck: /m)
  const refused = await millrace('rehearse', wrong, '--json')
  assert.equal(refused.code, 1)
  assert.equal((JSON.parse(refused.out) as { graph: string }).graph, 'wrong')
  assert.equal((await millrace('rehearse', IOT, '--seconds', '0')).code, 2)
})

test('rehearse: a graph read from JSON runs', async () => {
  const { code, out } = await millrace(
    'rehearse',
    file('iot.rehearsed.json', graphToJson(iot)),
    '--seconds',
    '1',
    '--json',
  )
  assert.equal(code, 0)
  assert.ok((JSON.parse(out) as Rehearsal).nodes['parser']!.measured.in > 0)
})

test('rehearse: Ctrl-C ends it early, with what was measured so far', async () => {
  const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, 'rehearse', IOT, '--seconds', '600', '--json'])
  let [out, err] = ['', '']
  child.stdout.on('data', (data: Buffer) => (out += String(data)))
  child.stderr.on('data', (data: Buffer) => {
    err += String(data)
    // The first progress: it runs.
    if (/source records have ended/.test(err)) child.kill('SIGINT')
  })
  const [code] = (await once(child, 'exit')) as [number]
  assert.equal(code, 130)
  assert.ok((JSON.parse(out) as Rehearsal).nodes['parser']!.measured.in > 0)
})

test('diff: what changed, what that does, and exit code 1 where it is worse', async () => {
  const before = graphToJson(iot)
  const slower = structuredClone(before) as unknown as { nodes: { id: string; latencyMs?: number }[]; edges: object[] }
  slower.nodes.find(({ id }) => id === 'aggregator')!.latencyMs = 400
  slower.nodes.push({ id: 'extra', kind: 'sink' } as never)
  slower.edges.push({ from: 'parser', to: 'extra' })
  const [old, now] = [file('before.json', before), file('after.json', slower)]
  const { code, out } = await millrace('diff', old, now)
  assert.equal(code, 1)
  assert.match(out, /^changed node +aggregator +latencyMs +200 +400$/m)
  assert.match(out, /^added node +extra$/m)
  assert.match(out, /^added edge +parser → extra$/m)
  assert.match(out, /^Throughput +5\/s → 2.5\/s/m)
  const json = await millrace('diff', now, old, '--json')
  assert.equal(json.code, 0)
  const found = JSON.parse(json.out) as GraphDiff & { worse: boolean }
  assert.equal(found.worse, false)
  assert.deepEqual(found.throughput, { before: 2.5, after: 5 })
  assert.deepEqual(
    found.differences.map(({ of, id, change }) => `${change} ${of} ${id}`),
    ['removed node extra', 'changed node aggregator', 'removed edge parser → extra'],
  )
  assert.equal((await millrace('diff', old, now, '--tolerance', '2')).code, 0)
  assert.match((await millrace('diff', old, old)).out, /^Nothing changed\.$/m)
  assert.equal((await millrace('diff', old)).code, 2)
})

test('docs/cli.md names every command, and every option under its command or under all of them', () => {
  const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')
  const [common = '', ...sections] = page.split(/^## /m)
  for (const [name, { options }] of Object.entries(COMMANDS)) {
    const section = sections.find((each) => each.startsWith(`${name}\n`))
    assert.ok(section !== undefined, name)
    for (const option of Object.keys(options)) {
      assert.ok(`${common}${section}`.includes(`--${option}`), `${name} --${option}`)
    }
  }
})
