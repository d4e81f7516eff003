import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { availableCores } from 'millrace'
import { coresOf } from '#src/cores.js'

const cores = (files: Readonly<Record<string, string>>, parallelism = 8): number =>
  coresOf((path) => files[path], parallelism)

test('without groups, and without a quota, the cores are those that the process may run on', () => {
  assert.equal(cores({}), 8)
  assert.equal(cores({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }), 8)
  assert.equal(
    cores({
      '/proc/self/cgroup': '4:cpu,cpuacct:/\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    }),
    8,
  )
})

test('groups, version 2: the smallest quota from the own group up to the root counts', () => {
  const files = {
    '/proc/self/cgroup': '0::/kubepods/pod1/a\n',
    '/sys/fs/cgroup/kubepods/pod1/a/cpu.max': 'max 100000\n',
    '/sys/fs/cgroup/kubepods/pod1/cpu.max': '150000 100000\n',
    '/sys/fs/cgroup/kubepods/cpu.max': '400000 100000\n',
  }
  assert.equal(cores(files), 1.5)
  assert.equal(cores(files, 1), 1)
  assert.equal(cores({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' }), 0.5)
})

test('groups, version 1: by the mount of its controllers, and within a container by its root', () => {
  const groups = '11:memory:/docker/a\n4:cpu,cpuacct:/docker/a\n1:name=systemd:/docker/a\n0::/system.slice\n'
  const quota = { 'cpu.cfs_quota_us': '200000\n', 'cpu.cfs_period_us': '100000\n' }
  const at = (folder: string) =>
    Object.fromEntries(Object.entries(quota).map(([name, text]) => [`/sys/fs/cgroup/${folder}/${name}`, text]))
  assert.equal(cores({ '/proc/self/cgroup': groups, ...at('cpu,cpuacct/docker/a') }), 2)
  assert.equal(cores({ '/proc/self/cgroup': groups, ...at('cpu') }), 2)
  assert.equal(cores({ '/proc/self/cgroup': groups, ...at('memory/docker/a') }), 8)
})

test('what the process has here is more than none, and no more than it may run on', () => {
  assert.ok(availableCores() > 0 && availableCores() <= availableParallelism())
})
