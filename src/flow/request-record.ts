import type { RequestState } from './request-view.ts'

/** How a request came out. */
export type RequestOutcome = { readonly answer: unknown } | { readonly error: Error }

/** A request as it was given. */
export interface GivenRequest {
  readonly id: string
  readonly input: unknown
  readonly hash?: string | undefined
  readonly createdAt?: number
  readonly replayOf?: string | undefined
  readonly callback?: string | undefined
}

/** A request as a store keeps it. */
export interface RequestRecord {
  readonly input: unknown
  readonly hash: string | undefined
  readonly state: RequestState
  readonly createdAt: number
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  readonly outcome: RequestOutcome | undefined
  /** It is to end: no further step of it is called. Absent in what older versions have kept. */
  readonly isStopping?: boolean
  readonly replayOf?: string | undefined
  readonly callback?: string | undefined
  /** What `onFailure` of the flow has made of its failure, where another process is to know. */
  readonly said?: RequestOutcome
}
