import type { StepFault } from './types.ts'

/** An edge as the node at its end knows it. */
export interface Incoming {
  /** Name of the step before, as `join` gets its answer. */
  readonly name: string
  readonly map?: ((answer: any) => unknown) | undefined
  readonly data: boolean
}

/** The edges into a node, by the nodes from which something may come over them. */
export type IncomingEdges = ReadonlyMap<string, Incoming>

/** A join that needs not all answers. */
export interface Race {
  readonly node: string
  /** How many `forEach` are around it: so much of a path names which of its joins it is. */
  readonly depth: number
}

/** A node of a flow's graph, as its handler knows it. */
export interface Site {
  readonly node: string
  readonly incoming: IncomingEdges
  /** The thread of `runFlow` is told what it did. */
  readonly isKept: boolean
  /** Joins that may go on without what this node makes. */
  readonly races: readonly Race[]
  /** Nodes that what it sends may come to. */
  readonly below: () => ReadonlySet<string>
}

/** What a step did in an earlier run of its request: it is not called again. */
export interface Memo {
  readonly step: string
  readonly path: string
  readonly answer: unknown
}

/** What the thread of `runFlow` is told of a step that has answered. */
export interface StepNote {
  /** Id of the request, and its place in the request table. */
  readonly request: string
  readonly at: number
  readonly turn: number
  readonly step: string
  readonly path: string
  readonly attempts: number
  /** In ms since 1970. Of a failure, `startedAt` is its first one's time. */
  readonly startedAt: number
  readonly endedAt: number
  readonly answer?: unknown
  readonly fault?: StepFault
}

/** What is to be undone. */
export type UndoneStep = Pick<StepNote, 'request' | 'at' | 'turn' | 'path' | 'step' | 'answer'>

/** The branch of a node on which its notes go. */
export const NOTE = '(note)'

/** The part of a path that belongs to so many `forEach`. */
export function pathTo(path: string, depth: number): string {
  return path
    .split('/')
    .slice(0, depth + 1)
    .join('/')
}
