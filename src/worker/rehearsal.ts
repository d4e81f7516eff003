import { load, wait } from '#atomics'
import type { GraphData, Handler } from '../plan/definition.ts'
import type { Memory } from '../lane/memory.ts'
import { PHASE } from '../plan/control.ts'
import type { Plan, StagePlan } from '../plan/types.ts'
import { type AnyFunction, Handlers } from './handlers.ts'

/** Shorter waits are owed and paid together: a thread cannot sleep for less. */
const SLEEP_MS = 1

/**
 * Synthetic work in place of handlers: sources make records at their declared rate, stages take their declared time for
 * each record, conditionals spread them by the declared ratios.
 */
export function rehearsed(plan: Plan, stage: StagePlan, data: GraphData, { words }: Memory): Handlers {
  const sleep = sleeper(words, plan.control.offset / 4 + PHASE)
  const functions = new Map<Handler, AnyFunction>()
  const add = (made: AnyFunction): AnyFunction => {
    functions.set(made, made)
    return made
  }
  const nodes = data.nodes.map((node) => {
    const own = plan.stages.find((each) => each.node === node.id)
    const inline = stage.nodes.find((each) => each.node === node.id)
    const latencyMs = inline?.rehearsal.latencyMs ?? 0
    if (node.kind === 'source') return { ...node, produce: add(producer(own!, sleep)) }
    if (node.kind === 'conditional' && inline !== undefined && inline.branches.length > 0) {
      return {
        ...node,
        route: add(
          router(
            inline.branches.map(({ when }) => when),
            inline.rehearsal.shares,
          ),
        ),
      }
    }
    const work = inline === stage.nodes[0] ? stage.work : inline?.work
    if (inline === undefined || work === undefined || work === 'route') return node
    return {
      ...node,
      [work]: add(worker(work, pace(latencyMs, node.cpu ?? false, sleep), inline.rehearsal.selectivity)),
    }
  })
  return new Handlers(stage, { ...data, nodes }, functions)
}

function producer({ source }: StagePlan, sleep: Sleep): AnyFunction {
  return function* produce(): Generator<number> {
    const start = performance.now()
    for (let made = 0; ; made++) {
      if (source!.rate > 0) sleep(start + (1000 * made) / source!.rate - performance.now())
      yield made
    }
  }
}

/** Names branches by a sequence that keeps to the shares at every length. */
function router(names: readonly string[], shares: readonly number[]): AnyFunction {
  const owed = shares.map(() => 0)
  return () => {
    shares.forEach((share, i) => (owed[i]! += share))
    const most = owed.indexOf(Math.max(...owed))
    owed[most]! -= 1
    return names[most]
  }
}

function worker(work: string, take: (records: number) => void, selectivity: number): AnyFunction {
  let owed = 0
  const outputs = (records: readonly unknown[]): unknown[] => {
    owed += records.length * selectivity
    const count = Math.floor(owed + 1e-9)
    owed -= count
    return Array.from({ length: count }, (_, i) => records[i % records.length])
  }
  switch (work) {
    case 'map':
      return (record: unknown) => {
        take(1)
        return record
      }
    case 'flatMap':
      return (record: unknown) => {
        take(1)
        return outputs([record])
      }
    case 'mapBatch':
      return (records: readonly unknown[]) => {
        take(records.length)
        return outputs(records)
      }
    default:
      return (records: unknown) => take(Array.isArray(records) ? records.length : 1)
  }
}

/** Takes the time of so many records: burns it, or waits. */
function pace(latencyMs: number, cpu: boolean, sleep: Sleep): (records: number) => void {
  let owedMs = 0
  return (records) => {
    owedMs += records * latencyMs
    if (owedMs < (cpu ? 0 : SLEEP_MS)) return
    const start = performance.now()
    if (cpu) while (performance.now() - start < owedMs);
    else sleep(owedMs)
    owedMs -= performance.now() - start
  }
}

type Sleep = (ms: number) => void

/** Blocks the thread on a word that nobody rings. */
function sleeper(words: Int32Array, word: number): Sleep {
  return (ms) => {
    if (ms >= SLEEP_MS) wait(words, word, load(words, word), ms)
  }
}
