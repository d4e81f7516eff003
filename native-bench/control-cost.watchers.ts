/** Watches one pipeline in a process of its own until that is ended: its work is not the API's. Arguments: URL, name, `browser`. */
import { Agent, get } from 'node:http'
import { ControlClient } from 'millrace/control'

const [url = '', name = '', page] = process.argv.slice(2)
const client = new ControlClient(url)
const follow = async (): Promise<void> => {
  for await (const message of client.watch(name)) void message
}
/** One connection, and nothing parsed: on a machine whose cores are all taken, what a watcher takes is the pipeline's loss. */
const agent = new Agent({ keepAlive: true, maxSockets: 2 })
const read = (path: string): void => {
  get(`${url}/pipelines/${name}${path}`, { agent }, (response) => response.resume()).on('error', () => undefined)
}

/** What is polled, ten times a second. */
setInterval(() => {
  read('/stats')
  read('/stages')
}, 100)
void follow()

if (page === 'browser') {
  const browser = await (
    await import('playwright-core')
  ).chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
  process.once('SIGTERM', () => void browser.close().then(() => process.exit()))
  await (await browser.newPage()).goto(url)
} else {
  // What the page asks for, without what a browser draws of it.
  void follow()
  setInterval(() => {
    read('/stages/work')
    read('/stages/work/histograms/service?window=10')
  }, 1_000)
}
process.send?.('watching')
