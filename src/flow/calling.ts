import type { Context } from '../graph/types.ts'
import { wallMs } from '../time.ts'
import { StepCall } from './call.ts'
import type { Arrival, Parcel } from './parcel.ts'
import { type IncomingEdges, type Memo, NOTE, type Site, type StepNote } from './site.ts'
import type { StepFault } from './types.ts'

/** A function of the user's. */
export type UserFunction = (...args: any[]) => any

/** What a node does: the graph's own handler of it. */
export type NodeHandler = (arrival: Arrival, context: Context<any, any>) => unknown

/** The same of a node that joins. */
export type JoinHandler = (arrivals: readonly Arrival[], context: Context<any, any>) => unknown

/**
 * Calls a function of a step, and tells the thread of `runFlow` once it has answered.
 */
export function called<T>(
  { node, isKept, races }: Site,
  parcel: Parcel,
  context: Context<any, any>,
  work: (call: StepCall) => unknown,
  then: (answer: any) => T,
): T | Promise<T> {
  const call = new StepCall(parcel, node, context, races)
  if (!isKept) return settled(work(call), then)
  const startedAt = wallMs()
  const told = (answer: unknown): T => {
    const { request, at, turn, path } = parcel
    const note = {
      request,
      at,
      turn,
      path,
      step: node,
      attempts: context.attempt,
      startedAt,
      endedAt: wallMs(),
      answer,
    }
    context.emit(NOTE, note satisfies StepNote)
    return then(answer)
  }
  return settled(work(call), told)
}

export function memoOf({ memos, path }: Parcel, node: string): Memo | undefined {
  return memos?.find((memo) => memo.step === node && memo.path === path)
}

/** Of what is joined, the one that knows what was done before. */
export function firstOf(parcels: readonly Parcel[]): Parcel {
  return parcels.find(({ memos }) => memos !== undefined) ?? parcels[0]!
}

/** Why a join fails. A pause is none where a step has failed; but for a quorum, more may come after it. */
export function faultOf(parcels: readonly Parcel[], isQuorum = false): StepFault | undefined {
  const faults = parcels.flatMap(({ fault }) => fault ?? [])
  const [paused, failures] = [faults.find(isPause), faults.filter((fault) => !isPause(fault))]
  if (isQuorum && paused !== undefined) return paused
  return failures.find(({ code }) => code !== 'STEP_CANCELLED') ?? failures[0] ?? paused
}

export function isPause({ code }: { readonly code?: string | undefined }): boolean {
  return code === 'REQUEST_PAUSED'
}

/** The value of a parcel as the node gets it. */
export function inputOf(parcel: Parcel, incoming: IncomingEdges): unknown {
  const { map, data } = incoming.get(parcel.from) ?? { data: true }
  if (!data) return undefined
  return map === undefined ? parcel.value : map(parcel.value)
}

export function settled<T>(result: unknown, then: (value: any) => T): T | Promise<T> {
  return isThenable(result) ? Promise.resolve(result).then(then) : then(result)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
