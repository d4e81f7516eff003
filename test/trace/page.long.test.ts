/** The tab of traces in a real browser: it finds, shows and follows traces, and stays small with a hundred thousand of them. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { type Browser, chromium, type Page } from 'playwright-core'
import { type GraphData, run } from 'millrace'
import { MemoryStore, type TraceEvent } from 'millrace/trace'
import * as graphs from '../control/graphs.js'
import { type Asked, served, until } from '../control/harness.js'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const SKIP = CHROMIUM === undefined ? 'no Chromium is installed (Debian: apt-get install chromium)' : false

let browser: Browser | undefined
before(async () => {
  if (CHROMIUM !== undefined) browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
})
after(() => browser?.close())

async function opened(
  traces: MemoryStore | undefined,
  act: (asked: Asked & { readonly page: Page }) => Promise<void>,
  graph: GraphData = graphs.mill,
): Promise<void> {
  const pipeline = await run(graph, { trace: { rate: 0.2 } })
  try {
    await served(pipeline, { showRecords: true, ...(traces && { traces }) }, async (asked) => {
      const context = await browser!.newContext({ viewport: { width: 1280, height: 900 } })
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('pageerror', ({ message }) => complaints.push(message))
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text())
      })
      await page.goto(asked.server.url)
      await act({ ...asked, page })
      assert.deepEqual(complaints, [])
      await context.close()
    })
  } finally {
    await pipeline.stop()
  }
}

const rows = (page: Page) => page.locator('#trace-list .trace-row:not([hidden])')

test('traces are found, one is shown, and the way of its record is lit on the graph', { skip: SKIP }, async () => {
  await opened(undefined, async ({ page }) => {
    await page.getByRole('button', { name: 'Traces', exact: true }).click()
    await page.locator('.trace-status.ok').first().waitFor()
    await page.locator('.trace-form select[name=status]').selectOption('ok')
    await until('only what went well', async () => (await rows(page).count()) > 3)
    await page.locator('#traces-live').uncheck()
    await rows(page).first().click()
    await page.locator('.spans .span').first().waitFor()
    assert.match(await page.locator('.waterfall').innerText(), /Critical path/)
    await page.locator('.spans .span[data-node=parse]').first().click()
    assert.match(await page.locator('.span-facts').innerText(), /parse, worker \d/)
    await page.getByRole('button', { name: 'Where it came from and went' }).click()
    await page.locator('#trace-graph .node.lit[data-node=sensors]').waitFor()
    assert.ok((await page.locator('#trace-graph .edge.lit').count()) > 0)
    assert.match(await page.locator('.lineage').innerText(), /sensors\s+made/)
    const inked = await page.evaluate(
      `(() => { const c = document.querySelector('.heat canvas'); return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v > 0) })()`,
    )
    assert.ok(inked, 'the heat strip is drawn')
    await page.locator('.scrub input').fill('500')
    await until('a moment is told', async () => /traces open/.test(await page.locator('.scrub').innerText()))
    await page.locator('.trace-form select[name=status]').selectOption('failed')
    await until('what failed', async () => (await rows(page).locator('.trace-status.ok').count()) === 0)
  })
})

test('a moment stands on the graph: what each handler had in progress', { skip: SKIP }, async () => {
  await opened(
    undefined,
    async ({ page }) => {
      await page.getByRole('button', { name: 'Traces', exact: true }).click()
      await page.locator('.trace-status.ok').first().waitFor()
      await page.locator('#traces-live').uncheck()
      await rows(page).first().click()
      await page.locator('.spans .span').first().waitFor()
      await page.locator('.scrub input').fill('500')
      await until('records in progress', async () =>
        /in progress/.test(await page.locator('#trace-graph .node[data-node=parse]').innerHTML()),
      )
    },
    graphs.patient,
  )
})

test('a click on a histogram shows traces of about that time', { skip: SKIP }, async () => {
  await opened(undefined, async ({ page }) => {
    await page.locator('#graph .node[data-node=parse]').click()
    await page.getByRole('button', { name: 'time on the lane' }).click()
    const plot = page.locator('#stage .chart .u-over').last()
    await plot.waitFor()
    await until('there is a line', async () => /99 %\s*[\d.]+/.test(await page.locator('.percentiles').innerText()))
    await plot.click({ position: { x: 40, y: 120 } })
    await page.locator('.chip').waitFor()
    assert.match(await page.locator('.chip').innerText(), /parse: about [\d.]+/)
    assert.ok(await page.locator('main#traces').isVisible())
    await page.locator('.chip').click()
    await until('all again', async () => (await rows(page).count()) > 0)
  })
})

const TRACES = 100_000

function many(): MemoryStore {
  const store = new MemoryStore({ maxEvents: Infinity })
  const common = { pipeline: 'mill', run: '00000000000000a1', worker: 0, epoch: 0, attempt: 0, serviceMs: 1 }
  const events: TraceEvent[] = []
  for (let i = 0; i < TRACES; i++) {
    const trace = i.toString(16).padStart(32, '0')
    const takenAt = 1_790_000_000_000 + 10 * i
    const base = i.toString(16).padStart(16, '0')
    const sent = { edge: 0, base, first: 0, count: 1, bytes: 40 }
    const rest = { ...common, traces: [trace], isIncomplete: false, isTruncated: false, outcome: 'ok' as const }
    const lasts = 1 + ((i * 7_919) % 1_000) / 10
    events.push(
      {
        ...rest,
        kind: 'open',
        sequence: 3 * i,
        node: 'sensors',
        takenAt,
        handedOffAt: takenAt,
        inputs: [],
        outputs: [sent],
      },
      {
        ...rest,
        kind: 'hop',
        sequence: 3 * i + 1,
        node: 'parse',
        takenAt: takenAt + lasts / 2,
        handedOffAt: takenAt + lasts,
        inputs: [sent],
        outputs: [],
      },
      {
        ...rest,
        kind: 'end',
        sequence: 3 * i + 2,
        node: 'sensors',
        takenAt,
        handedOffAt: takenAt + lasts,
        inputs: [],
        outputs: [],
      },
    )
  }
  store.write(events)
  return store
}

test(
  'with a hundred thousand traces only what is seen is there, and it is scrolled through',
  { skip: SKIP },
  async (t) => {
    await opened(many(), async ({ page }) => {
      await page.getByRole('button', { name: 'Traces', exact: true }).click()
      await page.getByText('100 k traces').waitFor({ timeout: 60_000 })
      assert.ok((await page.locator('.trace-row').count()) < 60)
      const first = await rows(page).first().getAttribute('data-trace')
      assert.equal(Number.parseInt(first!, 16), TRACES - 1)
      const frames = (await page.evaluate(`new Promise((resolve) => {
      const list = document.querySelector('#trace-list')
      const times = []
      let before = performance.now()
      const step = () => {
        const now = performance.now()
        times.push(now - before)
        before = now
        list.scrollTop += 700
        if (times.length < 300) requestAnimationFrame(step)
        else resolve(times)
      }
      requestAnimationFrame(step)
    })`)) as number[]
      const sorted = frames.slice(1).toSorted((a, b) => a - b)
      t.diagnostic(
        `frames while it scrolls: median ${sorted[150]!.toFixed(1)} ms, 95 % ${sorted[284]!.toFixed(1)} ms, longest ${sorted.at(-1)!.toFixed(1)} ms`,
      )
      assert.ok((await page.locator('.trace-row').count()) < 60)
      await until('the rows are those of the place', async () => {
        const trace = await rows(page).first().getAttribute('data-trace')
        return Number.parseInt(trace!, 16) < TRACES - 5_000
      })
      // To the very end, page by page.
      await until('the last one is there', async () => {
        await page.evaluate(`document.querySelector('#trace-list').scrollTop = 1e9`)
        const traces = await rows(page).evaluateAll((all) => all.map((each) => each.getAttribute('data-trace')))
        return traces.some((trace) => Number.parseInt(trace ?? '', 16) === 0)
      })
    })
  },
)
