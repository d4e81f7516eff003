import { MillraceError } from '../errors.ts'
import type { Context } from '../graph/types.ts'
import { StepCall, stopOf } from './call.ts'
import { type Arrival, type Parcel, answered, failed, outerPath, parcelOf } from './parcel.ts'

type Handler = (...args: any[]) => any

/** An edge as the node at its end knows it. */
export interface Incoming {
  /** Name of the step before, as `join` gets its answer. */
  readonly name: string
  readonly map?: Handler | undefined
  readonly data: boolean
}

/** The edges into a node, by the nodes from which something may come over them. */
export type IncomingEdges = ReadonlyMap<string, Incoming>

/** What a node does: the graph's own handler of it. */
type NodeHandler = (arrival: Arrival, context: Context<any, any>) => unknown

/** A step with one step before it. */
export function stepMap(node: string, incoming: IncomingEdges, map: Handler): NodeHandler {
  return (arrival, context) => {
    const parcel = parcelOf(arrival)
    const fault = parcel.fault ?? stopOf(parcel, node, context)
    if (fault !== undefined) return failed(parcel, node, fault)
    return settled(map(inputOf(parcel, incoming), new StepCall(parcel, node, context)), (answer) =>
      answered(parcel, node, answer),
    )
  }
}

/** A step with several steps before it: it is called with all that came of one request together. */
export function stepJoin(
  node: string,
  incoming: IncomingEdges,
  join: Handler,
  map: Handler | undefined,
): (arrivals: readonly Arrival[], context: Context<any, any>) => unknown {
  return (arrivals, context) => {
    const parcels = arrivals.map(parcelOf)
    const first = parcels[0]!
    const fault = parcels.find((parcel) => parcel.fault !== undefined)?.fault ?? stopOf(first, node, context)
    if (fault !== undefined) return [failed(first, node, fault)]
    const answers: Record<string, unknown> = {}
    for (const parcel of parcels) {
      const edge = incoming.get(parcel.from)
      if (edge?.data === true) answers[edge.name] = inputOf(parcel, incoming)
    }
    const joined: unknown = join(answers)
    if (map === undefined) return [answered(first, node, joined)]
    return settled(map(joined, new StepCall(first, node, context)), (answer) => [answered(first, node, answer)])
  }
}

/** What is called with a step's failure: its answer stands for the step's. */
export function stepRecovery(node: string, step: string, incoming: IncomingEdges, onFailure: Handler): NodeHandler {
  return (arrival, context) => {
    const parcel = parcelOf(arrival)
    const fault = parcel.fault!
    const stop = stopOf(parcel, step, context)
    if (stop !== undefined) return failed(parcel, node, stop)
    const input = 'error' in arrival ? inputOfFailure(arrival.input, incoming) : undefined
    return settled(onFailure(fault, input, new StepCall(parcel, step, context)), (answer) =>
      answered(parcel, node, answer),
    )
  }
}

function inputOfFailure(input: Parcel | readonly Parcel[] | undefined, incoming: IncomingEdges): unknown {
  if (input === undefined || Array.isArray(input)) return undefined
  return inputOf(parcelOf(input as Parcel), incoming)
}

/** The names of the branches that a request takes, each with a parcel; or `past` them, with what came in. */
export function chooseBranches(
  node: string,
  incoming: IncomingEdges,
  { when, branches, onNone }: { when: Handler; branches: ReadonlyMap<string, string>; onNone: 'continue' | 'fail' },
): NodeHandler {
  return (arrival, context) => {
    const parcel = parcelOf(arrival)
    const fault = parcel.fault ?? stopOf(parcel, node, context)
    if (fault !== undefined) return [{ ...failed(parcel, node, fault), to: PAST }]
    const input = inputOf(parcel, incoming)
    return settled(when(input, new StepCall(parcel, node, context)), (chosen: unknown) => {
      const names = namesOf(chosen, [...branches.keys()], node)
      if (names.size === 0 && onNone === 'fail') throw new MillraceError('BRANCH_NONE', { step: node })
      if (names.size === 0) return [{ ...answered(parcel, node, input), to: PAST }]
      return [...branches].map(([name, exit]) => {
        if (names.has(name)) return { ...answered(parcel, node, input), to: name }
        return { ...answered(parcel, exit, undefined), to: SKIPPED, isSkipped: true }
      })
    })
  }
}

/** Ways out of a part that are no branches of the user's: such a name is refused. */
export const PAST = '(past)'
export const SKIPPED = '(not taken)'
export const CLOSED = '(all items)'

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
  node: string,
  names: ReadonlyMap<string, string>,
  join: Handler | undefined,
): (arrivals: readonly Arrival[], context: Context<any, any>) => unknown {
  return (arrivals, context) => {
    const parcels = arrivals.map(parcelOf)
    const first = parcels[0]!
    const fault = parcels.find((parcel) => parcel.fault !== undefined)?.fault ?? stopOf(first, node, context)
    if (fault !== undefined) return [failed(first, node, fault)]
    const taken = parcels.filter(({ isSkipped }) => isSkipped !== true)
    const answers = Object.fromEntries(taken.map(({ from, value }) => [names.get(from)!, value]))
    return settled(join === undefined ? answers : join(answers), (answer) => [answered(first, node, answer)])
  }
}

/** A parcel for each item, and one that says how many there are. */
export function splitItems(
  node: string,
  incoming: IncomingEdges,
  { items, maxItems }: { items: Handler; maxItems: number },
): NodeHandler {
  return (arrival, context) => {
    const parcel = parcelOf(arrival)
    const fault = parcel.fault ?? stopOf(parcel, node, context)
    if (fault !== undefined) return [{ ...failed(parcel, node, fault), to: PAST }]
    const made: unknown = items(inputOf(parcel, incoming), new StepCall(parcel, node, context))
    return settled(made, (list: unknown) => {
      if (isAsyncIterable(list)) return gathered(list, maxItems, node).then((all) => parcelsOf(parcel, node, all))
      return parcelsOf(parcel, node, listed(list, maxItems, node))
    })
  }
}

function parcelsOf(parcel: Parcel, node: string, items: readonly unknown[]): Parcel[] {
  const parcels: Parcel[] = items.map((item, index) => ({
    ...answered(parcel, node, item),
    path: `${parcel.path}/${index}`,
    to: ITEM,
  }))
  parcels.push({ ...answered(parcel, node, undefined), to: CLOSED, items: items.length })
  return parcels
}

export const ITEM = 'item'

function listed(list: unknown, most: number, step: string): readonly unknown[] {
  const items: unknown[] = []
  if (typeof list !== 'object' || list === null || !(Symbol.iterator in list))
    throw new MillraceError('ITEMS_INVALID', { step })
  for (const item of list as Iterable<unknown>) add(items, item, most, step)
  return items
}

async function gathered(list: AsyncIterable<unknown>, most: number, step: string): Promise<readonly unknown[]> {
  const items: unknown[] = []
  for await (const item of list) add(items, item, most, step)
  return items
}

function add(items: unknown[], item: unknown, most: number, step: string): void {
  if (items.length >= most) throw new MillraceError('ITEMS_TOO_MANY', { step, maxItems: most })
  items.push(item)
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** How the failure of an item counts. */
export type ItemFailures = 'fail' | 'collect' | 'skip'

/** The answers of all items, in the order of the items. */
export function joinItems(
  node: string,
  onError: ItemFailures,
  join: Handler | undefined,
): (arrivals: readonly Arrival[], context: Context<any, any>) => unknown {
  return (arrivals, context) => {
    const parcels = arrivals.map(parcelOf)
    const close = parcels.find(({ items }) => items !== undefined)!
    const stop = stopOf(close, node, context)
    if (stop !== undefined) return [failed(close, node, stop)]
    const items = parcels.filter((parcel) => parcel !== close).toSorted((a, b) => indexOf(a) - indexOf(b))
    const broken = items.find(({ fault }) => fault !== undefined)?.fault
    if (broken !== undefined && onError === 'fail') return [failed(close, node, broken)]
    const kept = onError === 'skip' ? items.filter(({ fault }) => fault === undefined) : items
    const answers =
      onError === 'collect'
        ? kept.map(({ value, fault }) => (fault === undefined ? { answer: value } : { fault }))
        : kept.map(({ value }) => value)
    return settled(join === undefined ? answers : join(answers), (answer) => [answered(close, node, answer)])
  }
}

function indexOf({ path }: Parcel): number {
  return Number(path.slice(outerPath(path).length + 1))
}

/** What is joined in the place of an answer for which there is no room: small, so it says no more than its code. */
export function withoutValue(arrival: Arrival): Parcel {
  const parcel = parcelOf(arrival)
  const { from, fault, items, isSkipped } = parcel
  const tooLarge = { step: from, name: 'Error', message: '', stack: '', code: 'ANSWER_TOO_LARGE', attempts: 1 }
  return { ...failed(parcel, from, fault === undefined ? tooLarge : { ...fault, stack: '' }), items, isSkipped }
}

/** The value of a parcel as the node gets it. */
function inputOf(parcel: Parcel, incoming: IncomingEdges): unknown {
  const { map, data } = incoming.get(parcel.from) ?? { data: true }
  if (!data) return undefined
  return map === undefined ? parcel.value : map(parcel.value)
}

function settled<T>(result: unknown, then: (value: any) => T): T | Promise<T> {
  return isThenable(result) ? Promise.resolve(result).then(then) : then(result)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
