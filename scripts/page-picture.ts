/** Takes `docs/pictures/page.png` of a pipeline that has run for a while: `node build/scripts/page-picture.js`. Needs Chromium. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { run } from 'millrace'
import { serveControl } from 'millrace/control'
import { orderGraph } from './page-picture.graph.js'

const FILE = fileURLToPath(new URL('../../docs/pictures/page.png', import.meta.url))
const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
/** The killed worker comes back, and the window of the sentence is full, long before. */
const [BEFORE_KILL_MS, AFTER_KILL_MS, SETTLE_MS] = [20_000, 30_000, 3_000]

const pipeline = await run(orderGraph, { inject: true })
const server = await serveControl(pipeline, { port: 0, showRecords: true })
const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox'] })
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
await page.goto(server.url)
await sleep(BEFORE_KILL_MS)
const killed = await fetch(`${server.url}/pipelines/orders/stages/enrich/workers/1/kill`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{}',
})
if (!killed.ok) throw new Error(await killed.text())
await sleep(AFTER_KILL_MS)
// A window as high as the page: a picture of more than the window moves what is drawn while it is taken.
await page.setViewportSize({ width: 1280, height: await page.evaluate('document.documentElement.scrollHeight') })
await sleep(SETTLE_MS)
await page.screenshot({ path: FILE })
await browser.close()
await server.close()
await pipeline.stop()
