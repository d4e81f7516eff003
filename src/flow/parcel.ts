import type { Failure } from '../graph/types.ts'
import type { Memo, Site } from './site.ts'
import type { StepFault } from './types.ts'

/** What goes over the lanes of a flow: one value of one request. */
export interface Parcel {
  /** The request's id. */
  readonly request: string
  /** Its line in the request table, and which of the requests that have used the line it is. */
  readonly at: number
  readonly turn: number
  /** Of an item of `forEach`, `/` and its index, one for each `forEach` around it. */
  readonly path: string
  /** The node that sent it. */
  readonly from: string
  readonly value: unknown
  /** The value could not be made: every step that gets the parcel passes it on. */
  readonly fault?: StepFault | undefined
  /** Of what a part with several ways on sends: which way. */
  readonly to?: string | undefined
  /** Of a parcel that closes the items of a `forEach`: how many there are. */
  readonly items?: number | undefined
  /** A branch that was not chosen: nothing comes of it. */
  readonly isSkipped?: boolean | undefined
  /** Of a request that goes on where it was: what its steps have done before, as far as it concerns those to come. */
  readonly memos?: readonly Memo[] | undefined
}

/** What arrives at a step: a parcel, or, over an error edge, the failure of one, or of those that were to be joined. */
export type Arrival = Parcel | Failure<Parcel | readonly Parcel[] | undefined>

/** An arrival as a parcel. */
export function parcelOf(arrival: Arrival): Parcel {
  if (!('error' in arrival)) return arrival
  const { input, error, node, attempts } = arrival
  // What was to be joined belongs to one request, and its failure counts once: in the place of what closes it.
  const inputs = (Array.isArray(input) ? input : [input]).map(parcelOf)
  const { request, at, turn, path } = inputs.find(({ items }) => items !== undefined) ?? inputs[0]!
  const { name, message, stack, code } = error
  const fault = { step: node, name, message, stack, attempts, ...(code === undefined ? {} : { code }) }
  return { request, at, turn, path, from: node, value: undefined, fault }
}

/** What belongs together: what came of one request, or of one item of it. */
export function groupOf(arrival: Arrival): string {
  const { at, turn, path } = parcelOf(arrival)
  return `${at}.${turn}${path}`
}

/** The same of items: they belong together with what closes them. */
export function outerGroupOf(arrival: Arrival): string {
  const { at, turn, path, items } = parcelOf(arrival)
  return `${at}.${turn}${items === undefined ? outerPath(path) : path}`
}

/** The path without its last item. */
export function outerPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

/** A parcel that says that a value is missing, and why. */
export function failed(parcel: Parcel, from: string, fault: StepFault): Parcel {
  const { request, at, turn, path } = parcel
  return { request, at, turn, path, from, value: undefined, fault }
}

/** A parcel with an answer, for all nodes behind this one. */
export function answered(parcel: Parcel, { node, below }: Pick<Site, 'node' | 'below'>, value: unknown): Parcel {
  const { request, at, turn, path, memos } = parcel
  const sent = { request, at, turn, path, from: node, value }
  if (memos === undefined) return sent
  const nodes = below()
  return { ...sent, memos: memos.filter(({ step }) => nodes.has(step)) }
}

/** The path of the item of a `forEach` at `outer` to which a longer path belongs; `outer` where it belongs to none. */
export function itemPath(path: string, outer: string): string {
  if (path.length <= outer.length || !path.startsWith(`${outer}/`)) return outer
  const end = path.indexOf('/', outer.length + 1)
  return end < 0 ? path : path.slice(0, end)
}
