/** A server that dies in the middle of imports, and comes back: or does not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pipeline } from 'millrace'
import { Cluster } from './cluster.js'
import { folderOf, importHere, put, rowsAt } from './harness.js'

/** As many as are promised: `MILLRACE_SERVER_DEATHS=20`. */
const DEATHS = Number(process.env['MILLRACE_SERVER_DEATHS'] ?? 2)
const [FILES, ROWS] = [6, 8_000]
const filesOf = (version: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: FILES }, (_, file) => [
      `f${file}.csv`,
      `id,version,text\n${Array.from({ length: file === 0 ? 4 * ROWS : ROWS / 100 }, (_, i) => `${i},${version},${'.'.repeat(80)}\n`).join('')}`,
    ]),
  )

/** Acts once, when some pieces have come to an end in `load`. */
const whenLoaded =
  (pieces: number, act: () => void) =>
  (pipeline: Pipeline): void => {
    const timer = setInterval(() => {
      if (pipeline.snapshot().nodes['load']!.done < pieces && pipeline.state !== 'ended') return
      clearInterval(timer)
      act()
    }, 1)
  }

test(
  'a server that is killed in the middle of an import and started again: the import ends, and so does the next one',
  Cluster.absent(),
  async (t) => {
    const cluster = await Cluster.start()
    const held = (): Promise<(string | null)[][]> =>
      rowsAt(
        cluster.url,
        Array.from(
          { length: FILES },
          (_, i) => `select concat_ws(' ', count(*), min(version), max(version)) as held from deaths.f${i}`,
        ).join(' union all '),
      )
    const directory = folderOf(filesOf(0), 'deaths')
    await importHere({ directory, to: cluster.url })
    let recovered = 0
    for (let death = 1; death <= DEATHS; death++) {
      put(directory, filesOf(death))
      let started: Promise<void> | undefined
      const summary = await importHere({
        directory,
        to: cluster.url,
        connections: 2,
        onRunning: whenLoaded(death % (FILES + 2), () => {
          cluster.kill()
          started = cluster.start()
        }),
      })
      await started
      if (summary.failure === undefined) recovered++
      const clear = [...(await held())].every(([text]) =>
        [`${4 * ROWS}`, `${ROWS / 100}`].some((rows) =>
          [death, death - 1].some((version) => text === `${rows} ${version} ${version}`),
        ),
      )
      assert.ok(clear, JSON.stringify(await held()))
      // In this very process: nothing of the import before may hold the lock.
      const next = await importHere({ directory, to: cluster.url, connections: 2 })
      assert.deepEqual([next.failure, next.failed, next.isBalanced], [undefined, 0, true])
      assert.ok((await held()).every(([text]) => text!.endsWith(` ${death} ${death}`)))
    }
    t.diagnostic(`${recovered} of ${DEATHS} imports went on when the server was back`)
  },
)

test(
  'a server that does not come back: an account of what was not imported, and no lock stays',
  Cluster.absent(),
  async () => {
    const cluster = await Cluster.start()
    const directory = folderOf(filesOf(0), 'gone')
    const summary = await importHere({ directory, to: cluster.url, onRunning: whenLoaded(2, () => cluster.kill()) })
    assert.ok(summary.failure !== undefined)
    assert.ok(summary.results.every(({ outcome }) => outcome === 'imported' || outcome === 'not read'))
    assert.ok(summary.results.some(({ outcome }) => outcome === 'not read'))
    await cluster.start()
    const next = await importHere({ directory, to: cluster.url })
    assert.deepEqual([next.failure, next.failed, next.isBalanced], [undefined, 0, true])
  },
)
