import { explore } from './explore.ts'
import { laneProgram } from './lane-program.ts'
import { loadProgram } from './load.ts'
import type * as lane from './programs/lane.ts'

const code = await loadProgram<typeof lane>('lane')
for (const records of [1, 2, 3, 4]) {
  const from = performance.now()
  const report = explore(laneProgram(code, { records }))
  console.error(records, JSON.stringify(report), Math.round(performance.now() - from), 'ms')
}
