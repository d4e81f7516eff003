/** Watches one pipeline in a process of its own until that is ended: its work is not the API's. Arguments: URL, name, `browser`. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const [url = '', name = '', page] = process.argv.slice(2)
const { host, hostname, port } = new URL(url)

/**
 * A connection over which addresses are asked for, and what is answered is let go. As little as can be: on a machine whose
 * cores are all taken, what a watcher takes is the pipeline's loss, and no cost of the API.
 */
function connection(): (path: string) => void {
  const socket = connect(Number(port), hostname)
  socket.once('data', (data: Buffer) => {
    if (!data.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error(data.toString())
  })
  socket.on('data', () => undefined).on('error', () => undefined)
  return (path) => void socket.write(`GET /pipelines/${name}${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
}

const poll = connection()
setInterval(() => poll('/stats'), 100)
connection()('/watch?rateHz=2')

if (page === 'browser') openBrowser()
else askLikeThePage()
process.send?.('watching')

/** Started as a user would: what drives browsers for tests has its own work in them. */
function openBrowser(): void {
  const profile = mkdtempSync(join(tmpdir(), 'millrace-chromium-'))
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update']
  const browser = spawn(
    '/usr/bin/chromium',
    ['--headless=new', '--no-sandbox', ...quiet, `--user-data-dir=${profile}`, '--window-size=1280,900', url],
    { stdio: 'ignore', detached: true },
  )
  process.once('SIGTERM', () => {
    // The whole group: a browser is many processes.
    process.kill(-browser.pid!)
    browser.once('exit', () => {
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
      process.exit()
    })
  })
}

/** What the page asks for, without what a browser draws of it. */
function askLikeThePage(): void {
  connection()('/watch?rateHz=1')
  const ask = connection()
  let turn = 0
  setInterval(() => ask(turn++ % 2 === 0 ? '/stages/work' : '/stages/work/histograms/service?window=10'), 1_000)
}
