/**
 * Draws the pictures of `docs/tracing.md` from a run: `node build/scripts/trace-pictures.js`. The tab of traces with a trace and the way
 * of its record (`traces.png`, needs Chromium), and who sent how much to whom (`trace-flow.svg`).
 */
import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { run } from 'millrace'
import { serveControl } from 'millrace/control'
import { flowSvg, MemoryStore } from 'millrace/trace'
import { orderGraph } from './page-picture.graph.js'

const FOLDER = new URL('../../docs/pictures/', import.meta.url)
const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const RUN_MS = 15_000

const pipeline = await run(orderGraph, { trace: { rate: 0.2, types: true } })
const store = new MemoryStore({ maxEvents: Infinity })
await pipeline.tracing!.keep(store, pipeline.graph)
const server = await serveControl(pipeline, { port: 0, showRecords: true })
await sleep(RUN_MS)
const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox'] })
const page = await browser.newPage({ viewport: { width: 1280, height: 1_000 } })
await page.goto(server.url)
await page.getByRole('button', { name: 'Traces', exact: true }).click()
await page.locator('.trace-form select[name=kind]').selectOption('retry')
await page.locator('#trace-list .trace-row:not([hidden])').nth(3).click()
await page.locator('.spans .span[data-node=enrich]').first().click()
await page.getByRole('button', { name: 'Where it came from and went' }).click()
await page.locator('#trace-graph .node.lit').first().waitFor()
await page.setViewportSize({ width: 1280, height: await page.evaluate('document.documentElement.scrollHeight') })
await sleep(1_000)
await page.screenshot({ path: fileURLToPath(new URL('traces.png', FOLDER)) })
await writeFile(new URL('trace-flow.svg', FOLDER), await flowSvg(store))
await browser.close()
await server.close()
await pipeline.stop()
