import { MillraceError } from '../errors.ts'
import {
  type JoinHandler,
  type NodeHandler,
  type UserFunction,
  called,
  faultOf,
  inputOf,
  isPause,
  memoOf,
  settled,
} from './calling.ts'
import { pastPart } from './branches.ts'
import { type StepCall, decide, stepRefusal } from './call.ts'
import { type Parcel, answered, failed, itemPath, outerPath, parcelOf } from './parcel.ts'
import type { Memo, Site } from './site.ts'

/** Ways of items, and of what closes them. */
export const ITEM = '(item)'
export const CLOSED = '(all items)'

/** A parcel for each item, and one that says how many there are. */
export function splitItems(
  site: Site,
  { items, maxItems, joiner }: { items: UserFunction; maxItems: number; joiner: string },
): NodeHandler {
  const { node, incoming } = site
  return (arrival, context) => {
    const parcel = parcelOf(arrival)
    const past = pastPart(parcel, site, context, joiner)
    if (past !== undefined) return past
    const memo = memoOf(parcel, node)
    if (memo !== undefined) return parcelsOf(parcel, site, memo.answer as readonly unknown[])
    const list = (made: unknown): unknown =>
      isAsyncIterable(made) ? gathered(made, maxItems, node) : listed(made, maxItems, node)
    const work = (call: StepCall): unknown => settled(items(inputOf(parcel, incoming), call), list)
    return called(site, parcel, context, work, (all: readonly unknown[]) => parcelsOf(parcel, site, all))
  }
}

function parcelsOf(parcel: Parcel, site: Site, items: readonly unknown[]): Parcel[] {
  const sent = answered(parcel, site, undefined)
  const memos = memosByItem(sent)
  const parcels: Parcel[] = items.map((item, index) => {
    const path = `${parcel.path}/${index}`
    return { ...sent, value: item, path, to: ITEM, memos: memos?.get(path) }
  })
  parcels.push({ ...sent, to: CLOSED, items: items.length, memos: memos?.get(parcel.path) })
  return parcels
}

/** What was done before, by the path of the item; that of no item by the request's own. */
function memosByItem({ memos, path }: Parcel): ReadonlyMap<string, readonly Memo[]> | undefined {
  if (memos === undefined) return undefined
  const found = new Map<string, Memo[]>([[path, []]])
  for (const memo of memos) {
    const item = itemPath(memo.path, path)
    const known = found.get(item)
    if (known === undefined) found.set(item, [memo])
    else known.push(memo)
  }
  return found
}

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
export function joinItems(site: Site, onError: ItemFailures, join: UserFunction | undefined): JoinHandler {
  return (arrivals, context) => {
    const parcels = arrivals.map(parcelOf)
    const closing = parcels.find(({ items }) => items !== undefined)
    const items = parcels.filter((parcel) => parcel !== closing).toSorted((a, b) => indexOf(a) - indexOf(b))
    // A failure comes before the others have: then there may be nothing yet that closes them.
    const close = closing ?? { ...items[0]!, path: outerPath(items[0]!.path) }
    const broken = onError === 'fail' ? faultOf(items) : items.find(({ fault }) => fault && isPause(fault))?.fault
    const fault = broken ?? stepRefusal(close, site, context)
    if (fault !== undefined) {
      if (onError === 'fail' && !isPause(fault)) decide(close, site.node, context)
      return [failed(close, site.node, fault)]
    }
    const kept = onError === 'skip' ? items.filter((item) => item.fault === undefined) : items
    const answers =
      onError === 'collect'
        ? kept.map((item) => (item.fault === undefined ? { answer: item.value } : { fault: item.fault }))
        : kept.map(({ value }) => value)
    const work = (): unknown => (join === undefined ? answers : join(answers))
    return called(site, close, context, work, (answer) => [answered(close, site, answer)])
  }
}

function indexOf({ path }: Parcel): number {
  return Number(path.slice(outerPath(path).length + 1))
}
