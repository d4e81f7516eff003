/**
 * `queued`: it waits until fewer than `maxRequests` are open. `paused`: no step of it is called until it goes on. The last four are
 * its end.
 */
export type RequestState = 'queued' | 'running' | 'paused' | 'succeeded' | 'failed' | 'stopped' | 'timedOut'

/** What a step did for a request, where the flow keeps that. */
export interface StepView {
  readonly step: string
  /** Of a step inside `forEach`, the index of the item, one for each `forEach` around it. */
  readonly path: readonly number[]
  /** `undoFailed`: its `undo` has failed at the last attempt. */
  readonly state: 'done' | 'failed' | 'undone' | 'undoFailed'
  readonly attempts: number
  /** Times in ms since 1970. */
  readonly startedAt: number
  readonly endedAt: number
  /** Of a step that has failed, or whose `undo` has. */
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string | undefined }
}

/** A request as data, at one moment. */
export interface RequestView {
  readonly id: string
  readonly flow: string
  readonly state: RequestState
  /** Times in ms since 1970. `startedAt`: when its first step could start. `endedAt`: when nothing of it was left anywhere. */
  readonly createdAt: number
  readonly startedAt?: number
  readonly endedAt?: number
  /** The request that it repeats from where that failed. */
  readonly replayOf?: string
  /** The instance that runs it, where several share the store. */
  readonly instance?: string
  readonly answer?: unknown
  readonly error?: Error
  /** Where the flow keeps its steps, in the order in which they ended. */
  readonly steps?: readonly StepView[]
}
