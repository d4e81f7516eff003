/** A process of `store.test.ts`: runs `kept` with a store, and says on its output what the test waits for. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openFlowStore, runFlow } from 'millrace/flow'
import { until } from '../run/harness.js'
import { kept } from './flows.js'

const [address, folder, mode] = process.argv.slice(2) as [string, string, string]
const store = await openFlowStore(address)
const running = await runFlow(kept, { store })
const logOf = (id: string): string => join(folder, id)

if (mode === 'begin') {
  const ended = running.start({ log: logOf('ended'), items: 2 }, { id: 'ended', hash: 'h' })
  await ended.ended
  const ids = ['a', 'b', 'c']
  for (const id of ids) {
    writeFileSync(`${logOf(id)}.item1`, '')
    running.start({ log: logOf(id), items: 4 }, { id })
  }
  const left = (id: string): number =>
    ['first', 'left', 'right', 'both', 'items', 'items.each.item', 'items.each.item', 'items.each.item'].length -
    running.get(id)!.view().steps!.length
  await until(() => ids.every((id) => left(id) === 0), 'all but one item are done')
  running.start({ log: logOf('paused'), items: 1 }, { id: 'paused' })
  // What was said of steps before is saved with it.
  await running.pause('paused')
  process.stdout.write('begun\n')
  setInterval(() => existsSync(folder), 60_000)
} else {
  const requests = ['ended', 'a', 'b', 'c', 'paused'].map((id) => running.get(id)!)
  const states = requests.map(({ state }) => state)
  await running.resume('paused')
  const answers = await Promise.all(requests.map(({ answer }) => answer))
  process.stdout.write(`${JSON.stringify({ states, answers })}\n`)
  await running.drain()
  await store.close()
}
