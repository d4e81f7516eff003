import assert from 'node:assert/strict'
import type { GraphData, Handler } from '#src/graph/types.js'
import type { NodeCounter } from '#src/figures.js'
import { COUNTER } from '#src/memory/counters.js'
import type { Plan } from '#src/plan/types.js'
import { type AnyFunction, Handlers } from '#src/worker/call/handlers.js'
import { handlersOf } from '#src/worker/thread/load-handlers.js'
import type { Program, Start } from './explore.ts'
import type * as workers from './programs/workers.ts'
import type { Tracked } from './tracked.ts'

export interface WorkersGiven {
  readonly plan: Plan
  readonly graph: GraphData
  /** Which worker dies, and after how many of its stores. */
  readonly dies?: number
  readonly deaths?: readonly number[]
  /** Called at the start of every execution, and at its end. */
  readonly begin: () => void
  readonly check: () => void
}

/** All workers of a pipeline whose nodes have one worker each. */
export function workersProgram(code: typeof workers, given: WorkersGiven): Program {
  const { plan, graph } = given
  const functions = new Map(
    handlersOf(graph).map((handler) => [handler, handler as AnyFunction] as [Handler, AnyFunction]),
  )
  const start = ({ raw, memory }: Tracked): Start => {
    given.begin()
    const count = (worker: number, counter: NodeCounter): number => {
      const { journal, stage } = plan.workers[worker]!
      const at = journal.countersOffset / 8 + plan.stages[stage]!.nodes[0]!.counters
      return raw.floats[at + COUNTER[counter]]!
    }
    return {
      threads: plan.workers.map(({ index, stage }) => {
        const handlers = new Handlers(plan.stages[stage]!, graph, functions)
        return {
          name: plan.stages[stage]!.node,
          run: () => code.work(memory, plan, index, handlers),
          deaths: index === given.dies ? (given.deaths ?? []) : [],
          revive: () => code.workAgain(memory, plan, index, new Handlers(plan.stages[stage]!, graph, functions)),
        }
      }),
      check() {
        given.check()
        const records = count(0, 'in')
        for (const { index, slots, journal } of plan.workers) {
          assert.deepEqual([count(index, 'in'), count(index, 'done')], [records, records], `records of worker ${index}`)
          assert.equal(raw.words[journal.offset / 4], 0, 'no hand-off is under way')
          if (slots === undefined) continue
          for (let slot = 0; slot < slots.slots; slot++) {
            const [low, high, , open] = raw.words.subarray(slots.offset / 4 + 8 * slot)
            assert.deepEqual([low, high, open], [0, 0, 0], 'every slot has ended')
          }
        }
      },
    }
  }
  return { bytes: plan.memoryBytes, threads: plan.workers.length, start }
}
