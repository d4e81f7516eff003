import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Pipeline, run } from 'millrace'
import { pushed } from '../durable-graph.ts'
import { type WorkedQueue, openBull, openTable } from '../queues.ts'
import { SIX_FIELDS } from '../records.ts'
import { type Absent, type Contender, type Suite, moved } from '../suite.ts'

/** Pushes that overlap: requests of as many clients, say. */
const AT_ONCE = 512
const SYNCS = ['group', 'each', 'time'] as const

export const durable: Suite = {
  name: 'durable',
  title: `Accepting records and working them off, ${AT_ONCE} pushes at a time: in memory, durable, and beside queues`,
  async open(scale) {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
    const plain = await run(pushed)
    const kept = await Promise.all(SYNCS.map((sync) => run(pushed, { durable: { dir: join(folder, sync), sync } })))
    const [bull, table] = await Promise.all([openBull(AT_ONCE), openTable()])
    const count = scale.records(100_000)
    const few = scale.records(5_000)
    return {
      contenders: [
        pipeline('in memory', plain, count),
        pipeline('durable, group', kept[0]!, count),
        pipeline('durable, each', kept[1]!, scale.records(2_000)),
        pipeline('durable, time', kept[2]!, count),
        queue('BullMQ, everysec', bull, few),
        queue('PostgreSQL table', table, few),
      ],
      ratios: {
        groupOfInMemory: ['durable, group', 'in memory'],
        timeOfInMemory: ['durable, time', 'in memory'],
        groupOverBullMQ: ['durable, group', 'BullMQ, everysec'],
        groupOverTable: ['durable, group', 'PostgreSQL table'],
      },
      async close() {
        await Promise.all([plain, ...kept].map((each) => each.drain()))
        await Promise.all([bull?.close(), table?.close()])
        rmSync(folder, { recursive: true })
      },
    }
  },
}

function pipeline(name: string, running: Pipeline, count: number): Contender {
  const push = (n: number): Promise<unknown> => running.push('in', SIX_FIELDS.make(n))
  return contender(name, count, push, () => running.snapshot().nodes['out']!.done)
}

function queue(name: string, worked: WorkedQueue | undefined, count: number): Contender | Absent {
  if (worked === undefined) return { name, unit: 'records/s', absent: 'its server is not here' }
  return contender(
    name,
    count,
    (n) => worked.push(SIX_FIELDS.make(n)),
    () => worked.done,
  )
}

/** Pushes so many records and waits until all of them are worked off. */
function contender(name: string, count: number, push: (n: number) => Promise<unknown>, done: () => number): Contender {
  return {
    name,
    unit: 'records/s',
    async burst() {
      const start = performance.now()
      const owed = done() + count
      let next = 0
      const pusher = async (): Promise<void> => {
        while (next < count) await push(next++)
      }
      await Promise.all(Array.from({ length: AT_ONCE }, pusher))
      while (done() < owed) await sleep(1)
      if (done() !== owed) throw new Error(`${name}: ${done()} were worked off, not ${owed}`)
      return moved(count, performance.now() - start)
    },
  }
}
