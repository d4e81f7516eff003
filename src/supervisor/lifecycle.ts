import { MillraceError } from '../errors.ts'

/** Which states may follow each state. */
export type Transitions<State extends string> = Readonly<Record<State, readonly State[]>>

/** Where a pipeline is between its start and its end. */
export type PipelineState = 'starting' | 'running' | 'draining' | 'stopping' | 'ended'

/** From the start to the end of a pipeline. A start that fails stops too: some threads are there by then. */
export const PIPELINE_NEXT: Transitions<PipelineState> = {
  starting: ['running', 'stopping'],
  running: ['draining', 'stopping'],
  draining: ['stopping'],
  stopping: ['ended'],
  ended: [],
}

/** Holds a state and lets it change as its table says. */
export class Lifecycle<State extends string> {
  readonly #of: string
  readonly #next: Transitions<State>
  #state: State

  /** @param of whose state it is, for the error */
  constructor(of: string, next: Transitions<State>, first: State) {
    this.#of = of
    this.#next = next
    this.#state = first
  }

  get state(): State {
    return this.#state
  }

  isIn(...states: readonly State[]): boolean {
    return states.includes(this.#state)
  }

  /** @throws INTERNAL if the table does not allow it */
  enter(state: State): void {
    if (!this.#next[this.#state].includes(state))
      throw new MillraceError('INTERNAL', { reason: `${this.#of} went from ${this.#state} to ${state}` })
    this.#state = state
  }
}
