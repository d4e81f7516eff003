import type { Memory } from '../../memory/memory.ts'
import type { GraphData, GraphNode, Handler, SourceContext } from '../../plan/definition.ts'
import { PHASE } from '../../memory/control.ts'
import type { NodePlan, Plan, RehearsedWork, StagePlan } from '../../plan/types.ts'
import { type AnyFunction, Handlers } from '../call/handlers.ts'
import { sleeper, type TakeTime, takeTime } from './take-time.ts'
import { monotonicMs } from '../../time.ts'

/** Records that a source could not send when they were due are sent later, those of so long at most. */
const CATCH_UP_MS = 1_000

/**
 * Synthetic work in place of handlers, as the plan's `RehearsedWork` says: sources make records at their rate, stages take
 * their time for each record, fail some, and send others to their branches.
 */
export function rehearsed(plan: Plan, stage: StagePlan, data: GraphData, { words }: Memory, params: unknown): Handlers {
  const sleep = sleeper(words, plan.control.offset / 4 + PHASE)
  const functions = new Map<Handler, AnyFunction>()
  const add = <T extends AnyFunction>(made: T): T => {
    functions.set(made, made)
    return made
  }
  const key = add((record: unknown) => (typeof record === 'number' ? record : 0))
  const worthRetry = add((error: unknown) => error === AGAIN)
  const nodes = data.nodes.map((node): GraphNode => {
    const { retry, batch, partitionBy } = node
    const keys = partitionBy === undefined ? {} : { partitionBy: key }
    const inline = stage.nodes.find((each) => each.node === node.id)
    const work = inline === stage.nodes[0] ? stage.work : inline?.work
    if (inline === undefined || work === undefined) return { ...node, ...keys }
    return {
      ...node,
      ...keys,
      ...(retry === undefined ? {} : { retry: { ...retry, when: worthRetry } }),
      ...(batch?.by === undefined ? {} : { batch: { ...batch, by: key } }),
      [work]: add(handlerOf(work, inline, (rehearsal) => takeTime(rehearsal, sleep))),
    }
  })
  return new Handlers(stage, { ...data, nodes }, functions, params)
}

function handlerOf(work: string, node: NodePlan, taking: (rehearsal: RehearsedWork) => TakeTime): AnyFunction {
  const rehearsal = node.rehearsal!
  if (work === 'route') return router(node, rehearsal)
  const take = taking(rehearsal)
  return work === 'poll' ? poller(rehearsal, take) : worker(work, node, rehearsal, take)
}

/** Records at their rate: those that are due, as far as they are asked for. */
function poller({ rate }: RehearsedWork, take: TakeTime): AnyFunction {
  let dueFrom: number | undefined
  let made = 0
  return (demand: number, { worker, workers }: SourceContext) => {
    const now = monotonicMs()
    // The first record is due when the pipeline runs, not when this worker was made ready.
    dueFrom ??= now
    const due = (): number => Math.floor(((now - dueFrom!) * rate) / 1000)
    const late = ((due() - demand) * 1000) / rate - CATCH_UP_MS
    if (late > 0) dueFrom += late
    const count = rate === 0 ? demand : Math.min(demand, due())
    dueFrom += rate === 0 ? 0 : (1000 * count) / rate
    void take(count)
    return Array.from({ length: count }, () => worker + workers * made++)
  }
}

/** Names branches in turns that keep to the shares at every length. */
function router({ branches }: NodePlan, { branches: shares, failed }: RehearsedWork): AnyFunction {
  const next = spread([...shares, failed])
  return () => {
    const branch = branches[next()]
    if (branch === undefined) throw GIVEN_UP
    return branch.when
  }
}

const AGAIN: Error = new Error('Rehearsed failure, to be tried again.')
const GIVEN_UP: Error = new Error('Rehearsed failure.')
for (const error of [AGAIN, GIVEN_UP]) error.stack = ''

interface Emitter {
  emit(branch: string, record: unknown): void
  fail(record: unknown, reason: unknown): void
}

function worker(work: string, node: NodePlan, rehearsal: RehearsedWork, take: TakeTime): AnyFunction {
  const { retried, failed, selectivity } = rehearsal
  const outcome = spread([retried, failed, Math.max(0, 1 - retried - failed)])
  const results = whole(selectivity)
  const branches = node.branches.map(({ when }, i) => ({ when, next: whole(rehearsal.branches[i]!) }))
  /** How many records come of one, which fails or not; and what goes to branches. */
  const settle = (record: unknown, context: Emitter): Error | number => {
    const failure = [AGAIN, GIVEN_UP][outcome()]
    // The shares of branches are those of all records, selectivity is that of records that did not fail.
    const sent = branches.map(({ next }) => next(failure === undefined))
    if (failure !== undefined) return failure
    branches.forEach(({ when }, i) => {
      for (let n = 0; n < sent[i]!; n++) context.emit(when, record)
    })
    return results(true)
  }
  const one = (record: unknown, context: Emitter): unknown => {
    const settled = settle(record, context)
    if (typeof settled !== 'number') throw settled
    return work === 'flatMap' ? new Array<unknown>(settled).fill(record) : record
  }
  const several = (records: readonly unknown[], context: Emitter): unknown[] =>
    records.flatMap((record) => {
      const settled = settle(record, context)
      if (typeof settled === 'number') return new Array<unknown>(settled).fill(record)
      context.fail(record, settled)
      return []
    })
  return (given: unknown, context: Emitter) => {
    const isBatch = Array.isArray(given)
    const answer = (): unknown => (isBatch ? several(given, context) : one(given, context))
    const taken = take(isBatch ? given.length : 1)
    return taken === undefined ? answer() : taken.then(answer)
  }
}

/** Indexes in turns: each comes as often as its share of the sum says. */
function spread(shares: readonly number[]): () => number {
  const owed = shares.map(() => 0)
  const total = shares.reduce((sum, share) => sum + share, 0) || 1
  return () => {
    shares.forEach((share, i) => (owed[i]! += share / total))
    const most = owed.indexOf(Math.max(...owed))
    owed[most]! -= 1
    return most
  }
}

/** Whole numbers whose mean is `share`. What cannot be paid now is owed. */
function whole(share: number): (pays: boolean) => number {
  let owed = 0
  return (pays) => {
    owed += share
    const count = pays ? Math.floor(owed + 1e-9) : 0
    owed -= count
    return count
  }
}
