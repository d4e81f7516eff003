import type { ItemFailures } from './items.ts'
import type { RequestView } from './request-view.ts'

type Handler = (...args: any[]) => any

/** One part of a flow: the options as they were given. */
export type FlowPart =
  | { readonly kind: 'step'; readonly id: string; readonly options: StepData }
  | { readonly kind: 'branch'; readonly id: string; readonly options: BranchData }
  | { readonly kind: 'forEach'; readonly id: string; readonly options: ForEachData }
  | { readonly kind: 'subflow'; readonly id: string; readonly flow: FlowData }

export interface StepData {
  readonly map?: Handler
  readonly join?: Handler
  readonly onFailure?: Handler
  readonly undo?: Handler
  readonly quorum?: number
  readonly [option: string]: unknown
}

export interface BranchData {
  readonly when?: Handler
  readonly branches?: Readonly<Record<string, FlowData>>
  readonly join?: Handler
  readonly onNone?: 'continue' | 'fail'
  readonly [option: string]: unknown
}

export interface ForEachData {
  readonly items?: Handler
  readonly each?: FlowData
  readonly join?: Handler
  readonly onError?: ItemFailures
  readonly maxItems?: number
  readonly [option: string]: unknown
}

/** An edge of a flow. */
export interface FlowEdge {
  readonly from: string
  readonly to: string
  readonly map?: Handler
  readonly data?: boolean
}

/** What a flow as a whole may be told. */
export interface FlowSettings {
  /** Requests that may be open at once; further ones wait in memory. Default: 128. */
  readonly maxRequests?: number
  /**
   * Bytes of shared memory in which each worker of a join keeps answers that wait for others. An eighth of it is the largest answer
   * that can be joined, and a quarter holds all that wait. Default: 16 MiB.
   */
  readonly joinBytes?: number
  /**
   * Keeps what each step did with its request, in the thread of `runFlow`: answers, times, attempts and errors. A request can then be
   * paused, and goes on after the end of the process where it has a store. Default: true where a step has `undo`, otherwise false.
   */
  readonly keepSteps?: boolean
}

/** What is called in the thread of `runFlow`. Those of a flow inside another one are not. */
export interface FlowHooks {
  readonly onFailure?: (error: Error, request: RequestView) => unknown
  readonly finally?: (request: RequestView) => unknown
}

/** A flow as data, functions and all. */
export interface FlowData {
  readonly name: string
  readonly parts: readonly FlowPart[]
  readonly links: readonly FlowEdge[]
  readonly settings: FlowSettings
  readonly hooks: FlowHooks
}
