/** The page's tab for flows, in a real browser. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Browser, type Page, chromium } from 'playwright-core'
import { type FlowServer, serveFlows } from 'millrace/flow/server'
import { flaky } from './complaint-flows.js'
import { kept, said } from './flows.js'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const SKIP = CHROMIUM === undefined ? 'no Chromium is installed (Debian: apt-get install chromium)' : false

const folder = mkdtempSync(join(tmpdir(), 'millrace-flows-page-'))
const counts = new Int32Array(new SharedArrayBuffer(16))
let browser: Browser | undefined
let server: FlowServer
let page: Page
const complaints: string[] = []

before(async () => {
  if (CHROMIUM === undefined) return
  server = await serveFlows([said, kept, flaky], {
    port: 0,
    page: true,
    showErrors: true,
    run: { params: { counts: counts.buffer } },
  })
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  page = await browser.newPage({ viewport: { width: 1280, height: 1000 } })
  page.on('pageerror', ({ message }) => complaints.push(message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith('data:')) complaints.push(request.url())
  })
  await page.goto(`${server.url}/#/flows`)
})
after(async () => {
  await browser?.close()
  await (server as FlowServer | undefined)?.close()
  rmSync(folder, { recursive: true })
})

const state = (): Promise<string | null> => page.locator('#flow-request .pill').textContent()
const says = (text: string): Promise<void> => page.locator('#flow-request .pill', { hasText: text }).waitFor()

test('flows are listed, and one is executed from a dialog', { skip: SKIP }, async () => {
  await page.locator('#flow-list tr').nth(2).waitFor()
  assert.deepEqual(await page.locator('#flow-list th button').allTextContents(), ['said', 'kept', 'flaky'])
  await page.getByRole('button', { name: 'Execute said' }).click()
  await page.locator('#execute-body').fill('hallo')
  await page.locator('#execute-id').fill('greeting')
  await page.getByRole('button', { name: 'Execute', exact: true }).click()
  await says('succeeded')
  assert.equal(await page.locator('#flow-request .outcome').textContent(), 'you said "hallo"')
  // This flow keeps no steps, and so cannot pause.
  assert.ok(await page.locator('#flow-request').getByRole('button', { name: 'Pause' }).isDisabled())
})

test(
  'a request is paused and resumed, and its steps stand on a time line and on the drawing',
  { skip: SKIP },
  async () => {
    const log = join(folder, 'log')
    writeFileSync(`${log}.right`, '')
    server.flows.get('kept')!.start({ log, items: 2 }, { id: 'held' })
    await page.locator('#flow-list').getByRole('button', { name: 'kept', exact: true }).click()
    await page.locator('tr[data-request=held]').waitFor()
    await says('running')
    const panel = page.locator('#flow-request')
    await panel.getByRole('button', { name: 'Pause' }).click()
    await says('paused')
    rmSync(`${log}.right`)
    await panel.getByRole('button', { name: 'Resume' }).click()
    await says('succeeded')
    await panel.locator('[data-step="items.each.item[1]"]').waitFor()
    const steps = await panel
      .locator('.span')
      .evaluateAll((spans) => spans.map((span) => span.getAttribute('data-step')))
    assert.equal(new Set(steps).size, steps.length)
    assert.ok(steps.includes('first') && steps.includes('last') && steps.includes('items.join'))
    assert.ok((await page.locator('#flow-graph .node.lit').count()) >= 7)
    assert.match((await page.locator('#flow-graph .node[data-node="items.each.item"] .figure').textContent())!, /^2 × /)
  },
)

test('a failed request says where, and is replayed from there', { skip: SKIP }, async () => {
  await page.getByRole('button', { name: 'Execute flaky' }).click()
  await page.locator('#execute-type').selectOption('json')
  await page.locator('#execute-body').fill('3')
  await page.locator('#execute-id').fill('failed')
  await page.getByRole('button', { name: 'Execute', exact: true }).click()
  await says('failed')
  assert.match((await page.locator('#flow-request .outcome').textContent())!, /REQUEST_FAILED at all\.join not yet/)
  assert.ok((await page.locator('#flow-request .span.is-bad').count()) > 0)
  counts[3] = 1
  await page.getByRole('button', { name: 'Replay from where it failed' }).click()
  await says('succeeded')
  assert.match((await page.locator('#flow-request').textContent())!, /a replay of failed/)
  assert.equal(counts[1], 3)
  await page.locator('#flow-requests-bar select').selectOption('failed')
  await page.locator('#flow-requests tr').nth(1).waitFor({ state: 'detached' })
  assert.deepEqual(await page.locator('#flow-requests th').allTextContents(), ['failed'])
})

test(
  'a request is stopped once that is confirmed, and the pipelines of the flows have their own views',
  { skip: SKIP },
  async () => {
    const log = join(folder, 'stopped')
    writeFileSync(`${log}.right`, '')
    server.flows.get('kept')!.start({ log, items: 2 }, { id: 'stopped' })
    await page.locator('#flow-list').getByRole('button', { name: 'kept', exact: true }).click()
    await page.locator('tr[data-request=stopped] button').click()
    await says('running')
    await page.locator('#flow-request').getByRole('button', { name: 'Stop' }).click()
    await page.locator('#ask').getByRole('button', { name: 'Stop' }).click()
    await says('stopped')
    assert.equal(await state(), 'stopped')
    await page.locator('#pipelines').getByRole('button', { name: 'kept' }).click()
    await page.locator('#graph .node[data-node=first]').waitFor()
    assert.ok(await page.locator('#flows').isHidden())
    assert.deepEqual(complaints, [])
  },
)
