import type { StepView } from './request-view.ts'
import type { Memo, StepNote } from './site.ts'

/** A step of a request that has answered or failed, and what became of its undoing. */
export interface DoneStep extends StepNote {
  readonly undone?: true | ErrorLike
}

/** What the steps of one request did, as the thread of `runFlow` was told. */
export class DoneSteps {
  readonly #steps = new Map<string, DoneStep>()

  /** What was told of this step before counts no more. @returns by what it is known */
  add(step: DoneStep): string {
    const key = keyOf(step)
    // The last place is that of the last one to end.
    this.#steps.delete(key)
    this.#steps.set(key, step)
    return key
  }

  /** What a request that goes on does not do again. */
  memos(): readonly Memo[] {
    return this.done().map(({ step, path, answer }) => ({ step, path, answer }))
  }

  /** Steps that have answered, and whose work stands. */
  done(): readonly DoneStep[] {
    return [...this.#steps.values()].filter(({ fault, undone }) => fault === undefined && undone === undefined)
  }

  /** What is still to be undone, the last one first. */
  toUndo(undoable: ReadonlySet<string>): readonly DoneStep[] {
    const done = this.done().filter(({ step }) => undoable.has(step))
    return done.toSorted((a, b) => b.endedAt - a.endedAt || b.startedAt - a.startedAt)
  }

  views(): readonly StepView[] {
    return [...this.#steps.values()].map(viewOf).toSorted((a, b) => a.endedAt - b.endedAt)
  }
}

function keyOf({ step, path }: DoneStep): string {
  return step + path
}

function viewOf({ step, path, attempts, startedAt, endedAt, fault, undone }: DoneStep): StepView {
  const error = fault ?? (typeof undone === 'object' ? undone : undefined)
  const indexes = path.split('/').slice(1).map(Number)
  return {
    step,
    path: indexes,
    state: fault !== undefined ? 'failed' : undone === undefined ? 'done' : undone === true ? 'undone' : 'undoFailed',
    attempts,
    startedAt,
    endedAt,
    ...(error === undefined ? {} : { error: shortOf(error) }),
  }
}

/** An error without its stack. */
export function shortOf({ name, message, code }: ErrorLike): ErrorLike {
  return { name, message, ...(code === undefined ? {} : { code }) }
}

interface ErrorLike {
  readonly name: string
  readonly message: string
  readonly code?: string | undefined
}
