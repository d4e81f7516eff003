/** Moves many records through the diamond, and accounts for every one. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Snapshot, run } from 'millrace'
import { assertConserved } from '../run/harness.js'
import type { Account } from './diamond.js'

export interface StressResult {
  readonly seconds: number
  readonly recordsPerSecond: number
  readonly planBytes: number
  /** Resident memory of the process after the first third, and at the end, in MB: the most of each. */
  readonly earlyMb: number
  readonly lateMb: number
}

/** Memory that a garbage collector may hold more of at one time than at another. */
const SLACK_MB = 96

/** @param onProgress told about every second */
export async function stress(
  { records, seed }: { readonly records: number; readonly seed: number },
  onProgress: (snapshot: Snapshot) => void = () => undefined,
): Promise<StressResult> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-stress-'))
  Object.assign(process.env, {
    STRESS_RECORDS: String(records),
    STRESS_SEED: String(seed),
    STRESS_FOLDER: folder,
  })
  try {
    // Read only now: the module takes its sizes from the environment, as its workers will.
    const { diamond, isDead, isFiltered } = await import('./diamond.js')
    const pipeline = await run(diamond)
    const over = pipeline.finished
    const resident: { readonly at: number; readonly mb: number }[] = []
    for (let looks = 0; pipeline.state !== 'ended'; looks++) {
      await Promise.race([over.catch(() => undefined), sleep(100)])
      const snapshot = pipeline.snapshot()
      assertFlowing(snapshot)
      resident.push({ at: snapshot.nodes['numbers']!.in / records, mb: process.memoryUsage.rss() / 2 ** 20 })
      if (looks % 10 === 0) onProgress(snapshot)
    }
    const report = await over
    assertConserved(pipeline)
    const [out, dead] = ['out', 'dead'].map(
      (node) => JSON.parse(readFileSync(join(folder, `${node}.json`), 'utf8')) as Account,
    )
    const expected = { out: { seen: 0, again: 0, sum: 0 }, dead: { seen: 0, again: 0, sum: 0 } }
    for (let n = 0; n < records; n++) {
      if (isFiltered(n)) continue
      const account = isDead(n) ? expected.dead : expected.out
      account.seen++
      account.sum += n
    }
    assert.deepEqual({ out, dead }, expected, 'every record arrived, and none twice')
    assert.equal(report.acked, records)
    assert.equal(report.failed + report.abandoned, 0)
    const most = (from: number, to: number): number =>
      Math.max(0, ...resident.filter(({ at }) => at >= from && at <= to).map(({ mb }) => mb))
    const [earlyMb, lateMb] = [most(0, 0.4), most(0.8, 1)]
    assert.ok(lateMb < earlyMb + SLACK_MB, `memory does not grow: ${earlyMb} MB, then ${lateMb} MB`)
    const { seconds } = report
    const recordsPerSecond = records / seconds
    return { seconds, recordsPerSecond, planBytes: pipeline.plan.memoryBytes, earlyMb, lateMb }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Nothing is made up on the way: no account is overdrawn at any moment. */
function assertFlowing({ nodes, edges, lanes }: Snapshot): void {
  for (const [id, { inFlight, in: taken }] of Object.entries(nodes)) {
    assert.ok(inFlight >= 0 && inFlight <= taken, `node ${id} has ${inFlight} of ${taken} in flight`)
  }
  for (const { from, to, records } of edges) assert.ok(records >= 0, `${from} to ${to}`)
  for (const { queued, capacity, usedBytes, ringBytes } of lanes) {
    assert.ok(queued <= capacity && usedBytes <= ringBytes, 'no lane holds more than it may')
  }
}
