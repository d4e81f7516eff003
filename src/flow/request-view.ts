/** `queued`: it waits until fewer than `maxRequests` are open. The last four are its end. */
export type RequestState = 'queued' | 'running' | 'succeeded' | 'failed' | 'stopped' | 'timedOut'

/** A request as data, at one moment. */
export interface RequestView {
  readonly id: string
  readonly flow: string
  readonly state: RequestState
  /** Times in ms since 1970. `startedAt`: when its first step could start. `endedAt`: when nothing of it was left anywhere. */
  readonly createdAt: number
  readonly startedAt?: number
  readonly endedAt?: number
  readonly answer?: unknown
  readonly error?: Error
}
