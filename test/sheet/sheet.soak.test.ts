/** The sheet of `millrace draw --format html` in a real browser. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'
import { type GraphData, dataflow } from 'millrace'
import { impact, lineage, type Measurements, simulate, whatIf } from 'millrace/analysis'
import { graphToJson } from 'millrace/graph'
import microservices from '../../examples/walkthrough/4-microservices.js'
import iot from '../../examples/walkthrough/2-iot.js'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const options = { skip: CHROMIUM === undefined ? 'no Chromium is installed (Debian: apt-get install chromium)' : false }
const CLI = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const CORES = 2
const folder = mkdtempSync(join(tmpdir(), 'millrace-sheet-'))
let browser: Browser | undefined
let made = 0

before(async () => {
  if (CHROMIUM !== undefined) browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
})
after(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

function file(name: string, content: unknown): string {
  const path = join(folder, `${made++}-${name}`)
  writeFileSync(path, JSON.stringify(content))
  return path
}

/** Opens the sheet of a graph from the disk: whatever it complains of, or asks for elsewhere, fails the test. */
async function opened(
  graph: GraphData,
  args: readonly string[],
  act: (page: Page) => Promise<void>,
  colorScheme: 'light' | 'dark' = 'light',
): Promise<void> {
  const out = join(folder, `${made++}.html`)
  const draw = ['draw', file('graph.json', graphToJson(graph)), '--cores', String(CORES), '--out', out, ...args]
  execFileSync(process.execPath, [CLI, ...draw], { stdio: 'pipe' })
  const context = await browser!.newContext({ viewport: { width: 1280, height: 800 }, colorScheme })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', ({ message }) => complaints.push(message))
  page.on('console', (message) => complaints.push(message.text()))
  page.on('request', (request) => {
    if (request.url() !== pathToFileURL(out).href) complaints.push(request.url())
  })
  await page.goto(pathToFileURL(out).href)
  await act(page)
  assert.deepEqual(complaints, [])
  await context.close()
}

/** What a browser has, and Node's types do not. */
interface Window {
  getComputedStyle(element: unknown): Readonly<Record<string, string>>
}

function styleOf(place: Locator, name: string): Promise<string> {
  return place.evaluate((element, name) => (globalThis as unknown as Window).getComputedStyle(element)[name]!, name)
}

const node = (id: string): string => `.node[data-node="${id}"]`

async function marked(page: Page, name: string): Promise<string[]> {
  const ids = await page
    .locator(`.node.${name}`)
    .evaluateAll((all) => all.map((each) => each.getAttribute('data-node')!))
  return ids.sort((a, b) => (a < b ? -1 : 1))
}

test('the bottleneck is ringed with its sentence, and what it holds up is of one colour', options, async () => {
  const { bottleneck, nodes } = simulate(iot, { cores: CORES })
  const held = nodes.filter(({ limits }) =>
    limits.some((each) => each.where === 'below' && each.node === bottleneck!.node),
  )
  assert.ok(held.length > 2)
  await opened(iot, [], async (page) => {
    assert.deepEqual(await marked(page, 'bottleneck'), [bottleneck!.node])
    assert.match(
      (await page.locator('#sentence').textContent())!,
      /Window Aggregator holds everything up.*\(predicted\)/,
    )
    assert.deepEqual(await marked(page, 'held'), held.map(({ id }) => id).sort())
    const ring = page.locator('.bottleneck .ring')
    assert.match(await styleOf(ring, 'stroke'), /^rgb/)
  })
})

test('a click marks what lies above and below, and shows the figures of the node', options, async () => {
  await opened(microservices, [], async (page) => {
    const id = microservices.nodes.find(({ kind }) => kind === 'buffer')!.id
    await page.locator(node(id)).click()
    assert.deepEqual(await marked(page, 'above'), [...lineage(microservices, id).nodes].sort())
    assert.deepEqual(await marked(page, 'below'), [...impact(microservices, id).nodes].sort())
    assert.match((await page.locator('#node').innerText()).replaceAll('\t', ' '), /kind buffer/)
    await page.locator('#drawing').click({ position: { x: 3, y: 3 } })
  })
})

test('a slider reckons with the analysis itself, and Reset takes it back', options, async () => {
  const { node: id } = simulate(iot, { cores: CORES }).bottleneck!
  await opened(iot, [], async (page) => {
    await page.locator(node(id!)).click()
    const slider = page.locator('input[name=concurrency]')
    await slider.fill('64')
    const expected = whatIf(iot, { nodes: { [id!]: { concurrency: 64 } } }, { cores: CORES })
    assert.ok(expected.throughput.factor > 1)
    const said = (await page.locator('#sentence').textContent())!
    const [, factor] = /If so: .* → .* \(× ([\d.,]+)\)/.exec(said)!
    assert.ok(Math.abs(Number(factor!.replaceAll(',', '')) / expected.throughput.factor - 1) < 0.05, said)
    assert.deepEqual(await marked(page, 'bottleneck'), [expected.after.bottleneck!.node])
    assert.equal(await page.locator('#tried').textContent(), `${id}: concurrency 64`)
    await page.locator('#reset').click()
    assert.deepEqual(await marked(page, 'bottleneck'), [id])
  })
})

test('clusters fold and open, the search finds, the wheel zooms and the hand moves', options, async () => {
  await opened(microservices, [], async (page) => {
    const all = microservices.nodes.length
    assert.equal(await page.locator('.node').count(), all)
    const [cluster] = microservices.clusters
    await page.locator(`.cluster[data-cluster="${cluster!.id}"] > text`).click()
    const members = microservices.nodes.filter((each) => each.cluster === cluster!.id).length
    assert.equal(await page.locator('.node').count(), all - members + 1)
    assert.match((await page.locator('.node.cluster').textContent())!, new RegExp(`${members} nodes`))
    await page.locator('.node.cluster').click()
    assert.equal(await page.locator('.node').count(), all)
    await page.getByRole('button', { name: 'Fold' }).click()
    assert.equal(await page.locator('.node').count(), microservices.clusters.length)
    await page.getByRole('button', { name: 'Fold' }).click()
    await page.locator('#search').fill('sendgrid')
    assert.deepEqual(await marked(page, 'found'), ['sendgrid'])
    const where = (): Promise<string> => styleOf(page.locator('#drawing svg'), 'transform')
    const first = await where()
    await page.mouse.move(400, 500)
    await page.mouse.wheel(0, -300)
    const second = await where()
    await page.mouse.down()
    await page.mouse.move(450, 520)
    await page.mouse.up()
    const third = await where()
    assert.equal(new Set([first, second, third]).size, 3)
  })
})

const line = (workers: number) =>
  dataflow('line')
    .source('in', { rate: 100 })
    .transform('work', { latencyMs: 20, concurrency: workers })
    .connect('in', 'work')

test(
  'before and after: what was added and changed is marked, and the graph as it was is there too',
  options,
  async () => {
    const [was, is] = [line(1).sink('out').connect('work', 'out'), line(4).sink('new').connect('work', 'new')]
    await opened(is, ['--diff', file('before.json', graphToJson(was))], async (page) => {
      assert.deepEqual([await marked(page, 'added'), await marked(page, 'changed')], [['new'], ['work']])
      assert.match((await page.locator('#differences').textContent())!, /removed node out.*work: concurrency 1 → 4/)
      await page.getByRole('button', { name: 'Before' }).click()
      assert.deepEqual(await marked(page, 'removed'), ['out'])
      assert.deepEqual(await marked(page, 'bottleneck'), ['work'])
    })
  },
)

test('what was measured is shown: errors, 99th percentiles, and who waits for whom', options, async () => {
  const graph = dataflow('measured')
    .source('in')
    .transform('work', { concurrency: 2 })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
  const zero = {
    filtered: 0,
    failed: 0,
    deadLettered: 0,
    dropped: 0,
    retried: 0,
    inFlight: 0,
    starved: 0,
    blocked: 0,
    limited: 0,
  }
  const times = { serviceMs: 1, p50Ms: 1, p99Ms: 1 }
  const measurements: Measurements = {
    seconds: 10,
    nodes: {
      in: { ...zero, ...times, workers: 1, in: 2_000, done: 2_000, out: 2_000, busy: 0.1, blocked: 0.9 },
      work: {
        ...zero,
        ...times,
        workers: 2,
        in: 2_000,
        done: 1_900,
        out: 1_900,
        failed: 100,
        busy: 0.99,
        serviceMs: 10,
        p99Ms: 40,
      },
      out: { ...zero, ...times, workers: 1, in: 1_900, done: 1_900, out: 0, busy: 0.05, starved: 0.95 },
    },
    edges: [0, 1].map((index) => ({
      index,
      records: 2_000,
      dropped: 0,
      queued: index === 0 ? 900 : 0,
      capacity: 1_000,
      blockedShare: index === 0 ? 0.9 : 0,
    })),
  }
  await opened(graph, ['--measurements', file('measured.json', measurements)], async (page) => {
    assert.deepEqual([await marked(page, 'bottleneck'), await marked(page, 'held')], [['work'], ['in']])
    assert.match((await page.locator('#sentence').textContent())!, /work.*\(measured\)/)
    const work = page.locator(node('work'))
    assert.match((await work.textContent())!, /200\/s.*99 % busy/)
    await page.locator('#paint').selectOption('errors')
    assert.match((await work.textContent())!, /100 failed, 5 %/)
    await page.locator('#paint').selectOption('p99')
    assert.match((await work.textContent())!, /p99 40 ms/)
    await page.locator('#paint').selectOption('memory')
    assert.match((await work.textContent())!, /KiB of lanes/)
    await work.click()
    assert.ok((await page.locator('#node tr').count()) > 5)
  })
})

test('a long chain is wrapped, names are texts whatever they hold, and the dark sheet is dark', options, async () => {
  const evil = '</script><img src=x onerror=alert(1)>'
  let chain: GraphData = dataflow(evil).source('0')
  const nodes = [
    ...chain.nodes,
    ...Array.from({ length: 24 }, (_, i) => ({ id: String(i + 1), kind: 'transform' as const, label: evil })),
  ]
  const edges = nodes.slice(1).map(({ id }, i) => ({ from: nodes[i]!.id, to: id }))
  chain = { ...chain, nodes: [...nodes, { id: 'end', kind: 'sink' }], edges: [...edges, { from: '24', to: 'end' }] }
  const grounds: string[] = []
  for (const scheme of ['light', 'dark'] as const) {
    await opened(
      chain,
      [],
      async (page) => {
        assert.equal(await page.locator('img').count(), 0)
        assert.equal(await page.title(), evil)
        const box = (await page.locator('#drawing svg').getAttribute('viewBox'))!
        const [width, height] = box.split(' ').map(Number).slice(2) as [number, number]
        assert.ok(width < 4 * height, `${width} × ${height}`)
        grounds.push(await styleOf(page.locator('body'), 'backgroundColor'))
      },
      scheme,
    )
  }
  assert.notEqual(grounds[0], grounds[1])
})
