import { explore } from './explore.ts'
import { laneProgram } from './lane-program.ts'
import { acksProgram } from './acks-program.ts'
import { loadProgram } from './load.ts'
import type * as lane from './programs/lane.ts'
import type * as acks from './programs/acks.ts'

const code = await loadProgram<typeof lane>('lane')
const ackCode = await loadProgram<typeof acks>('acks')
const timed = (name: string, f: () => unknown) => {
  const from = performance.now()
  const report = f()
  console.error(name, JSON.stringify(report), Math.round(performance.now() - from), 'ms')
}
for (const [granules, slots, entries, preemptions] of [
  [1, 1, 1, 2],
  [1, 1, 1, 3],
  [2, 1, 1, 2],
  [2, 1, 1, 3],
  [2, 2, 1, 2],
  [2, 2, 1, 3],
  [3, 2, 2, 2],
] as const)
  timed(`acks ${granules} ${slots} ${entries} ${preemptions}`, () =>
    explore(acksProgram(ackCode, { granules, slots, entries }), { preemptions }),
  )
timed('1 record one ring', () => explore(laneProgram(code, { records: 2, ringBytes: 64 })))
let n = 0
timed('deaths writer', () => {
  for (let at = 0; at < 50; at++)
    n += explore(laneProgram(code, { records: 2, writerDeaths: [at] }), { preemptions: 2 }).executions
  return n
})
