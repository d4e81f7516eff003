import type { ItemAnswer } from './collected-items.ts'
import type { RequestState, RequestView } from './request-view.ts'

/** A request of a flow. */
export interface FlowRequest<Answer = unknown> {
  readonly id: string
  /** As it was given: where whoever serves the flow says that it has ended. */
  readonly callback: string | undefined
  /** True until nothing of it is left anywhere: no step of it runs, and none will. */
  readonly isOpen: boolean
  readonly state: RequestState
  /** The answer of the last step. @throws REQUEST_FAILED, REQUEST_STOPPED, REQUEST_TIMED_OUT, what ended the pipeline */
  readonly answer: Promise<Answer>
  /** Resolves once the store of the flow, if there is one, keeps it as it is now. */
  readonly saved: Promise<void>
  /** Resolves when nothing of it is left anywhere, and `finally` of the flow is over. Never rejects. */
  readonly ended: Promise<void>
  view(): RequestView
  /**
   * The answers of the items of all its `forEach`, as they come, those that have come before first; until it has ended. An item that
   * fails has none. The flow needs `keepSteps`. @throws STEPS_NOT_KEPT
   */
  items(): AsyncGenerator<ItemAnswer, void>
  /** Calls `listener` at each change of the state, and at the end. @returns what ends that */
  watch(listener: () => void): () => void
}
