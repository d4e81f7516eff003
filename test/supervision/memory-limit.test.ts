import assert from 'node:assert/strict'
import { totalmem } from 'node:os'
import { test } from 'node:test'
import { availableMemory, dataflow } from 'millrace'
import { plan } from 'millrace/plan'
import { memoryOf } from '#src/memory-limit.js'

const MIB = 1_048_576
const memory = (files: Readonly<Record<string, string>>): number => memoryOf((path) => files[path], 8_192 * MIB)

test('without groups, and without a limit, the memory is that of the machine', () => {
  assert.equal(memory({}), 8_192 * MIB)
  assert.equal(memory({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': 'max\n' }), 8_192 * MIB)
  const unlimited = {
    '/proc/self/cgroup': '4:memory:/\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
  }
  assert.equal(memory(unlimited), 8_192 * MIB)
})

test('groups, version 2: the smallest limit from the own group up to the root counts', () => {
  const files = {
    '/proc/self/cgroup': '0::/kubepods/pod1/a\n',
    '/sys/fs/cgroup/kubepods/pod1/a/memory.max': 'max\n',
    '/sys/fs/cgroup/kubepods/pod1/memory.max': `${256 * MIB}\n`,
    '/sys/fs/cgroup/kubepods/memory.max': `${1_024 * MIB}\n`,
  }
  assert.equal(memory(files), 256 * MIB)
  assert.equal(memory({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': `${256 * MIB}\n` }), 256 * MIB)
})

test('groups, version 1: by the mount of the controller, and within a container by its root', () => {
  const groups = '4:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n0::/system.slice\n'
  const limit = `${256 * MIB}\n`
  assert.equal(
    memory({ '/proc/self/cgroup': groups, '/sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes': limit }),
    256 * MIB,
  )
  assert.equal(memory({ '/proc/self/cgroup': groups, '/sys/fs/cgroup/memory/memory.limit_in_bytes': limit }), 256 * MIB)
})

test('what the process has here is more than none, and no more than the machine has', () => {
  assert.ok(availableMemory() > 0 && availableMemory() <= totalmem())
})

const graph = dataflow('wide', import.meta.url)
  .source('numbers', { concurrency: 8, produce: () => [1, 2, 3] })
  .transform('square', { concurrency: 8, map: (n: number) => n * n })
  .sink('out', { write: () => undefined })
  .connect('numbers', 'square')
  .connect('square', 'out')

test('where memory is short, lanes are smaller, and the plan says so', () => {
  const usual = plan(graph)
  const most = Math.floor(usual.memoryBytes * 0.8)
  const small = plan(graph, { maxMemoryBytes: most })
  assert.ok(small.memoryBytes <= most)
  assert.ok(usual.links.every(({ narrowedFrom }) => narrowedFrom === undefined))
  assert.ok(small.links.some(({ narrowedFrom }) => narrowedFrom === 524_288))
})

test('what does not fit is refused: lanes that somebody asked for, and whatever is larger than the memory', () => {
  const { memoryBytes } = plan(graph)
  const refused = (options: object): void => {
    assert.throws(() => plan(graph, options), { code: 'PLAN_TOO_LARGE' })
  }
  refused({ maxMemoryBytes: Math.floor(memoryBytes * 0.8), laneBytes: 524_288 })
  refused({ maxMemoryBytes: 65_536 })
})
