import { existsSync, readFileSync } from 'node:fs'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type StepContext, flow } from 'millrace/flow'

/** What is asked of `spread`: steps write to the folder, and wait while the file `ID.STEP` is in it. */
export interface Spread {
  readonly n: number
  readonly folder: string
  readonly fails?: boolean
  /** How long each step takes. */
  readonly waitMs?: number
}

/** A call of a step: who called it, and when by the clock of the machine. */
export interface Call {
  readonly id: string
  readonly pid: number
  readonly at: number
}

async function work(step: string, { folder, waitMs = 0 }: Spread, { id, request, signal }: StepContext): Promise<void> {
  const call: Call = { id, pid: process.pid, at: Date.now() }
  await appendFile(join(folder, 'calls'), `${JSON.stringify(call)}\n`)
  if (waitMs > 0) await sleep(waitMs)
  while (existsSync(join(folder, `${request}.${step}`)) && !signal.aborted) await sleep(5)
  // A side effect that is there once, however often the step is called.
  const effect = join(folder, `effect ${id.replaceAll('/', ' ')}`)
  await writeFile(effect, '', { flag: 'wx' }).catch(() => undefined)
}

export function callsIn(folder: string): readonly Call[] {
  const file = join(folder, 'calls')
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Call)
}

const PATIENT = { maxCrashes: 100 } as const

/** A diamond between two steps, for several processes. */
export const spread = flow('spread', import.meta.url, { maxRequests: 8, keepSteps: true })
  .step('first', {
    ...PATIENT,
    map: async (given: Spread, context) => {
      await work('first', given, context)
      return given
    },
  })
  .step('left', {
    ...PATIENT,
    map: async (given: Spread, context) => {
      await work('left', given, context)
      return { given, left: given.n * 2 }
    },
  })
  .step('right', {
    ...PATIENT,
    map: async (given: Spread, context) => {
      await work('right', given, context)
      return given.n + 1
    },
  })
  .step('both', {
    ...PATIENT,
    join: ({ left, right }) => ({ ...left, right }),
    map: async ({ given, left, right }, context) => {
      await work('both', given, context)
      if (given.fails === true) throw new Error('it was to fail')
      return { given, sum: left + right }
    },
  })
  .step('last', {
    ...PATIENT,
    map: async ({ given, sum }: { given: Spread; sum: number }, context) => {
      await work('last', given, context)
      return { n: given.n, sum }
    },
  })
  .edge('first', 'left')
  .edge('first', 'right')
  .edge('left', 'both')
  .edge('right', 'both')
  .edge('both', 'last')
  .onFailure((error) => ({ n: -1, sum: (error.cause as Error).message.length }))

export const STEPS = ['first', 'left', 'right', 'both', 'last'] as const
