/** The tab of imports in a real browser: what is shown, and what its buttons do. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { serveControl } from 'millrace/control'
import { ImportService } from 'millrace/import'
import { databaseOnServer, folderOf, put } from './harness.js'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const { onServer, to } = await databaseOnServer()
const skip = CHROMIUM === undefined ? { skip: 'no Chromium is installed' } : onServer

test('the tab shows kinds and runs, runs now, and pauses', skip, async () => {
  const directory = folderOf({ 'orders.csv': 'id\n1\n', 'bad.csv': 'a,b\n1\n' }, 'shown')
  await using service = await ImportService.open({ directory, to, cron: '15 3 * * *', makesUp: false })
  await using server = await serveControl([], { port: 0, imports: { '<b>shown</b>': service } })
  const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] })
  try {
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('pageerror', ({ message }) => complaints.push(message))
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    await page.goto(server.url)
    const card = page.locator('.import')
    await card.getByRole('heading', { name: '<b>shown</b>' }).waitFor()
    await card.getByText(/next run/).waitFor()
    await card.getByRole('button', { name: 'Run now', exact: true }).click()
    await card.getByText('1 not imported: 100 %').first().waitFor()
    const orders = card.locator('tbody tr', { hasText: 'shown.orders' })
    assert.match(await orders.innerText(), /^orders\s+shown\.orders\s+1\s+1\s+0/)
    await orders.getByRole('button', { name: 'Pause orders' }).click()
    await orders.getByText('paused; imported').waitFor()
    put(directory, { 'orders.csv': 'id\n1\n2\n' })
    await orders.getByRole('button', { name: 'Run orders now' }).click()
    await orders.getByRole('cell', { name: '2', exact: true }).waitFor()
    await orders.getByRole('button', { name: 'Resume orders' }).click()
    await card.locator('.head .pill').getByText('waiting').waitFor()
    await card.locator('.commands').getByRole('button', { name: 'Pause' }).click()
    await card.locator('.head .pill').getByText('paused').waitFor()
    if (process.env['MILLRACE_PICTURE'] !== undefined)
      await page.screenshot({ path: process.env['MILLRACE_PICTURE'], fullPage: true })
    assert.deepEqual(complaints, [])
  } finally {
    await browser.close()
  }
})
