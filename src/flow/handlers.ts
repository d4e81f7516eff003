import type { Context } from '../graph/types.ts'
import { StepCall, decide, isLeaseOver, stepRefusal } from './call.ts'
import {
  type JoinHandler,
  type NodeHandler,
  type UserFunction,
  called,
  faultOf,
  firstOf,
  inputOf,
  memoOf,
} from './calling.ts'
import { type Arrival, type Parcel, answered, failed, parcelOf } from './parcel.ts'
import type { IncomingEdges, Site, UndoneStep } from './site.ts'

/** A step with one step before it. */
export function stepMap(site: Site, map: UserFunction): NodeHandler {
  return (arrival, context) => {
    const parcel = parcelOf(arrival)
    const { node, incoming } = site
    const fault = parcel.fault ?? stepRefusal(parcel, site, context)
    if (fault !== undefined) return failed(parcel, node, fault)
    const memo = memoOf(parcel, node)
    if (memo !== undefined) return answered(parcel, site, memo.answer)
    return called(
      site,
      parcel,
      context,
      (call) => map(inputOf(parcel, incoming), call),
      (answer) => answered(parcel, site, answer),
    )
  }
}

/**
 * A step with several steps before it: it is called with all that came of one request together.
 * @param quorum how many answers are enough
 */
export function stepJoin(
  site: Site,
  join: UserFunction,
  map: UserFunction | undefined,
  quorum: number | undefined,
): JoinHandler {
  return (arrivals, context) => {
    const parcels = arrivals.map(parcelOf)
    const first = firstOf(parcels)
    const { node, incoming } = site
    const memo = memoOf(first, node)
    const came = parcels.filter(({ fault }) => fault === undefined)
    const fault =
      (came.length < (quorum ?? parcels.length) ? faultOf(parcels, quorum !== undefined) : undefined) ??
      stepRefusal(first, site, context)
    if (fault !== undefined) return [failed(first, node, fault)]
    if (quorum !== undefined) decide(first, node, context)
    if (memo !== undefined) return [answered(first, site, memo.answer)]
    const answers: Record<string, unknown> = {}
    for (const parcel of came) {
      const edge = incoming.get(parcel.from)
      if (edge?.data === true) answers[edge.name] = inputOf(parcel, incoming)
    }
    const work = (call: StepCall): unknown => {
      const joined: unknown = join(answers)
      return map === undefined ? joined : map(joined, call)
    }
    return called(site, first, context, work, (answer) => [answered(first, site, answer)])
  }
}

/** What is called with a step's failure: its answer stands for the step's. */
export function stepRecovery(site: Site, step: string, onFailure: UserFunction): NodeHandler {
  return (arrival, context) => {
    const parcel = parcelOf(arrival)
    const fault = parcel.fault!
    const stop = stepRefusal(parcel, site, context)
    if (stop !== undefined) return failed(parcel, site.node, stop)
    const input = 'error' in arrival ? inputOfFailure(arrival.input, site.incoming) : undefined
    return called(
      { ...site, node: step },
      parcel,
      context,
      (call) => onFailure(fault, input, call),
      (answer) => answered(parcel, site, answer),
    )
  }
}

/** Undoes what a step did: a record of it at a time. */
export function stepUndo(
  undos: ReadonlyMap<string, UserFunction>,
): (done: UndoneStep, context: Context<any, any>) => unknown {
  return ({ request, at, turn, path, step, answer }, context) => {
    if (isLeaseOver(context)) throw Object.assign(new Error('another process undoes it'), { code: 'REQUEST_PAUSED' })
    const parcel = { request, at, turn, path, from: step, value: undefined }
    return undos.get(step)!(answer, new StepCall(parcel, step, context))
  }
}

function inputOfFailure(input: Parcel | readonly Parcel[] | undefined, incoming: IncomingEdges): unknown {
  if (input === undefined || Array.isArray(input)) return undefined
  return inputOf(parcelOf(input as Parcel), incoming)
}

/** What is joined in the place of an answer for which there is no room: small, so it says no more than its code. */
export function withoutValue(arrival: Arrival): Parcel {
  const parcel = parcelOf(arrival)
  const { from, fault, items, isSkipped } = parcel
  const tooLarge = { step: from, name: 'Error', message: '', stack: '', code: 'ANSWER_TOO_LARGE', attempts: 1 }
  return { ...failed(parcel, from, fault === undefined ? tooLarge : { ...fault, stack: '' }), items, isSkipped }
}
