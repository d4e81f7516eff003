import { MillraceError } from '../../errors.ts'
import { COUNTER } from '../../memory/counters.ts'
import { CallContext, type Said, type WorkerFacts } from '../call/context.ts'
import { unlessExpired } from '../call/expiry.ts'
import type { Handlers, Operation } from '../call/handlers.ts'
import { isThenable, settled } from '../call/results.ts'
import type { NodeOutlet } from './node-outlet.ts'

/** Where the outputs of inline nodes go. */
interface Ways {
  /** To all edges that have no branch. */
  send(node: NodeOutlet, value: unknown, origin: number): void
  /** To the edges of a branch. */
  emit(node: NodeOutlet, branch: string, value: unknown, origin: number): void
  saidOf(said: readonly Said[], origin: number): void
  /** What a handler said of the record for those who trace it. */
  note(context: CallContext): void
  /** Aims it at the record in hand with this index. */
  aim(context: CallContext, origin: number): void
}

/** What calls of handlers take. */
interface Calling {
  readonly handlers: Handlers
  /** Of the stage's own node. */
  readonly facts: WorkerFacts
  readonly stopped: AbortSignal
}

/** What a node does with a record. */
type Inline = (value: unknown, origin: number) => void

/** What a node without a thread of its own does: a conditional, an inline buffer or merge, or a fused node. */
export function inlineOf(ways: Ways, calling: Calling, node: NodeOutlet): Inline {
  const { handlers } = calling
  if (node.plan.kind === 'inject') {
    return (value, origin) => {
      const { node: to, record } = value as { node: string; record: unknown }
      ways.emit(node, to, record, origin)
    }
  }
  if (node.plan.kind === 'conditional') {
    const route = handlers.route(node.plan)
    return (value, origin) => {
      ways.emit(node, route(value), value, origin)
      node.count(COUNTER.done, 1)
    }
  }
  const operation = node.plan.work === undefined ? undefined : handlers.operation(node.plan)
  if (operation !== undefined) return fused(ways, calling, node, operation)
  return (value, origin) => {
    ways.send(node, value, origin)
    node.count(COUNTER.done, 1)
  }
}

function fused(ways: Ways, { facts: root, stopped }: Calling, node: NodeOutlet, { work, call }: Operation): Inline {
  const { node: id, branches } = node.plan
  const facts = { ...root, node: id, branches: new Set(branches.map(({ when }) => when)) }
  const context = new CallContext(facts, stopped)
  const handler = unlessExpired(facts, call)
  return (value, origin) => {
    ways.aim(context, origin)
    const answer = handler(value, context)
    if (isThenable(answer)) {
      // A promise that fails unseen would end the thread.
      answer.then(undefined, () => undefined)
      throw new MillraceError('FUSED_HANDLER_ASYNC', { node: id })
    }
    const failure = context.emitted.length > 0 ? context.takeFailure() : undefined
    if (failure !== undefined) throw failure.error
    const result = settled(id, work, answer)
    const isFiltered = result === false && work === 'filter'
    if (work === 'flatMap') for (const item of result as unknown[]) ways.send(node, item, origin)
    else if (!isFiltered) ways.send(node, work === 'map' ? result : value, origin)
    if (context.emitted.length > 0) {
      ways.saidOf(context.takeSaid(), origin)
      for (const [branch, record] of context.emitted) ways.emit(node, branch, record, origin)
    }
    ways.note(context)
    node.count(isFiltered ? COUNTER.filtered : COUNTER.done, 1)
  }
}
