/** A container of half a core and 256 MB, as control groups of version 1 make one; skipped where they cannot be made. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const MIB = 1_048_576
const folders = ['cpu', 'memory'].map((controller) => `/sys/fs/cgroup/${controller}/millrace-test-${process.pid}`)

function whyNot(): string | false {
  try {
    for (const folder of folders) mkdirSync(folder)
    writeFileSync(`${folders[0]}/cpu.cfs_period_us`, '100000')
    writeFileSync(`${folders[0]}/cpu.cfs_quota_us`, '50000')
    writeFileSync(`${folders[1]}/memory.limit_in_bytes`, String(256 * MIB))
    return false
  } catch (error) {
    return `control groups of version 1 cannot be made here: ${String(error)}`
  }
}
const skip = whyNot()
after(() => {
  for (const folder of skip === false ? folders : []) rmdirSync(folder)
})

test(
  'with half a core and 256 MB a pipeline finishes, keeps its lanes within half of the memory, and says what it has',
  { skip },
  () => {
    const file = fileURLToPath(new URL('container-service.js', import.meta.url))
    const enter = folders.map((folder) => `echo $$ > ${folder}/cgroup.procs`).join(' && ')
    const { status, stdout, stderr } = spawnSync('sh', ['-c', `${enter} && exec "$0" "$1"`, process.execPath, file], {
      encoding: 'utf8',
      timeout: 120_000,
    })
    assert.equal(status, 0, stderr)
    const said = JSON.parse(stdout) as { limits: Record<string, number>; acked: number }
    assert.equal(said.limits['cores'], 0.5)
    assert.equal(said.limits['availableBytes'], 256 * MIB)
    assert.ok(said.limits['sharedBytes']! <= 128 * MIB)
    assert.equal(said.acked, 10_000)
  },
)
