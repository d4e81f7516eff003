import type { GraphEdge } from '../graph/types.ts'
import type { FlowData } from './data.ts'
import { isPause } from './calling.ts'
import { type Arrival, type Parcel, parcelOf } from './parcel.ts'
import type { Incoming, IncomingEdges, Race } from './site.ts'

/** Where something of a part comes out: a node, all of it or one of its branches, and whether its failures do too. */
export interface Exit {
  readonly node: string
  readonly when?: string
  readonly failures: boolean
}

/** An edge into a part: the exits of what is before it, and what it does. */
export interface Into extends Incoming {
  readonly exits: readonly Exit[]
  readonly label?: string
  readonly when?: string
}

/** What a join waits for: at most so many, as `of` says; predictions take it to be `typical`. */
export interface Gathering {
  readonly size: number
  readonly by?: (arrival: any) => string
  readonly of?: (parcel: any) => number | undefined
  readonly typical?: number
  /** So many answers are enough. */
  readonly quorum?: number | undefined
  /** One failure is enough: the others are not waited for. */
  readonly isEager?: boolean
}

/** Where a part stands. */
export interface PartRoom {
  readonly prefix: string
  readonly cluster: string | undefined
  /** How many `forEach` are around it. */
  readonly depth: number
  readonly races: readonly Race[]
}

/** What is to be undone must be known. */
export function keepsSteps(flow: FlowData): boolean {
  return flow.settings.keepSteps ?? hasUndo(flow)
}

function hasUndo({ parts }: FlowData): boolean {
  return parts.some((part) => {
    if (part.kind === 'step') return part.options.undo !== undefined
    if (part.kind === 'subflow') return hasUndo(part.flow)
    if (part.kind === 'branch') return Object.values(part.options.branches ?? {}).some(hasUndo)
    return part.options.each !== undefined && hasUndo(part.options.each)
  })
}

/** What is said of crashes holds for the node that joins, too: `join` runs there. */
export function restartsOf({ maxCrashes, restart }: { readonly [option: string]: unknown }): object {
  return { ...(maxCrashes === undefined ? {} : { maxCrashes }), ...(restart === undefined ? {} : { restart }) }
}

/** The parcel that closes the items says how many there are. */
export function itemsAndClose({ items }: Parcel): number | undefined {
  return items === undefined ? undefined : items + 1
}

/** For a quorum, answers count, and failures do not. */
export function answerWeight(arrival: Arrival): number {
  return parcelOf(arrival).fault === undefined ? 1 : 0
}

/** Where one failure is enough, nothing else counts; a pause is none. */
export function failureWeight(arrival: Arrival): number {
  const { fault } = parcelOf(arrival)
  return fault === undefined || isPause(fault) ? 0 : 1
}

/** By part: the joins with a quorum to which all ways from it lead, beside those around the flow. */
export function racesOf(
  { parts, links }: FlowData,
  { prefix, depth, races }: PartRoom,
): ReadonlyMap<string, readonly Race[]> {
  const found = new Map(parts.map(({ id }) => [id, races]))
  for (const join of parts) {
    if (join.kind !== 'step' || join.options.quorum === undefined) continue
    const into = new Set([join.id])
    for (let before = 0; before !== into.size;) {
      before = into.size
      for (const { id } of parts) {
        const next = links.filter(({ from }) => from === id)
        if (next.length > 0 && next.every(({ to }) => into.has(to))) into.add(id)
      }
    }
    into.delete(join.id)
    for (const id of into) found.set(id, [...found.get(id)!, { node: prefix + join.id, depth }])
  }
  return found
}

/** Which nodes lie behind which, over edges that may still grow until it is asked. */
export class NodesBelow {
  readonly #edges: readonly GraphEdge[]
  readonly #found = new Map<string, ReadonlySet<string>>()

  constructor(edges: readonly GraphEdge[]) {
    this.#edges = edges
  }

  /** Nodes that what a node sends may come to. */
  of(node: string): ReadonlySet<string> {
    const known = this.#found.get(node)
    if (known !== undefined) return known
    const found = new Set<string>()
    const visit = (from: string): void => {
      for (const edge of this.#edges) {
        if (edge.from !== from || found.has(edge.to)) continue
        found.add(edge.to)
        visit(edge.to)
      }
    }
    visit(node)
    this.#found.set(node, found)
    return found
  }
}

export function incomingOf(into: readonly Into[]): IncomingEdges {
  return new Map(
    into.flatMap(({ exits, name, map, data }) => exits.map(({ node }) => [node, { name, map, data }] as const)),
  )
}
