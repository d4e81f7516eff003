import { MillraceError } from '../errors.ts'
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
import { type FlowCall, stepRefusal } from './call.ts'
import { type Parcel, answered, failed, parcelOf } from './parcel.ts'
import type { Site } from './site.ts'

/** Ways out of a part: no branch of the user's has such a name. */
export const PAST = '(past)'
export const SKIPPED = '(not taken)'

/** A parcel that a part lets past: one without a value, or one for which its joiner has answered before. Else undefined. */
export function pastPart(parcel: Parcel, site: Site, call: FlowCall, joiner: string): Parcel[] | undefined {
  const fault = parcel.fault ?? stepRefusal(parcel, site, call)
  if (fault !== undefined) return [{ ...failed(parcel, site.node, fault), to: PAST }]
  const done = memoOf(parcel, joiner)
  return done && [{ ...answered(parcel, site, done.answer), to: PAST }]
}

/** The names of the branches that a request takes, each with a parcel; or `past` them, with what came in. */
export function chooseBranches(
  site: Site,
  {
    when,
    branches,
    onNone,
    joiner,
  }: { when: UserFunction; branches: ReadonlyMap<string, string>; onNone: 'continue' | 'fail'; joiner: string },
): NodeHandler {
  const { node, incoming } = site
  return (arrival, context) => {
    const parcel = parcelOf(arrival)
    const past = pastPart(parcel, site, context, joiner)
    if (past !== undefined) return past
    const input = inputOf(parcel, incoming)
    const go = (chosen: unknown): Parcel[] => {
      const names = namesOf(chosen, [...branches.keys()], node)
      if (names.size === 0 && onNone === 'fail') throw new MillraceError('BRANCH_NONE', { step: node })
      if (names.size === 0) return [{ ...answered(parcel, site, input), to: PAST }]
      return [...branches].map(([name, exit]) => {
        if (names.has(name)) return { ...answered(parcel, site, input), to: name }
        return { ...answered(parcel, site, undefined), from: exit, to: SKIPPED, isSkipped: true }
      })
    }
    const memo = memoOf(parcel, node)
    if (memo !== undefined) return go(memo.answer)
    return called(site, parcel, context, (call) => when(input, call), go)
  }
}

/** @throws BRANCH_UNKNOWN */
function namesOf(chosen: unknown, known: readonly string[], step: string): ReadonlySet<string> {
  const names = new Set<unknown>(
    Array.isArray(chosen) ? chosen : chosen === undefined || chosen === null ? [] : [chosen],
  )
  for (const branch of names)
    if (!known.includes(branch as string)) throw new MillraceError('BRANCH_UNKNOWN', { step, branch, branches: known })
  return names as ReadonlySet<string>
}

/** The answers of the branches that were taken, by name. */
export function joinBranches(
  site: Site,
  names: ReadonlyMap<string, string>,
  join: UserFunction | undefined,
): JoinHandler {
  return (arrivals, context) => {
    const parcels = arrivals.map(parcelOf)
    const first = firstOf(parcels)
    const fault = faultOf(parcels) ?? stepRefusal(first, site, context)
    if (fault !== undefined) return [failed(first, site.node, fault)]
    const taken = parcels.filter(({ isSkipped }) => isSkipped !== true)
    const answers = Object.fromEntries(taken.map(({ from, value }) => [names.get(from)!, value]))
    const work = (): unknown => (join === undefined ? answers : join(answers))
    return called(site, first, context, work, (answer) => [answered(first, site, answer)])
  }
}
