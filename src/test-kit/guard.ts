import type { AnyFunction } from '../worker/call/handlers.ts'
import { isThenable } from '../worker/call/results.ts'
import { fuse } from './fuse.ts'

/** Whose functions are guarded. */
export interface CodeGuard {
  /** Its code runs now. False where it is dead: its code reaches nobody any more. */
  enter(): boolean
  /** An answer has come: `act` is called when its turn has come, and never where the one who waits has died by then. */
  queue(act: () => void): void
}

/**
 * A function of the user, during which its worker may die: before it, after it, before each record that a generator makes, and
 * before its answer arrives. Answers arrive in the order that the scheduler says.
 */
export function guarded(handler: AnyFunction, guard: CodeGuard): AnyFunction {
  return (...given: unknown[]) => {
    guard.enter()
    fuse.visit()
    const result = handler(...given)
    if (isThenable(result)) return answerOf(result, guard)
    fuse.visit()
    return isIterator(result) ? iteratorOf(result, guard) : result
  }
}

function answerOf(result: PromiseLike<unknown>, guard: CodeGuard): Promise<unknown> {
  const arrive = (act: () => void): void =>
    guard.queue(() => {
      fuse.visit()
      act()
    })
  return new Promise((resolve, reject) => {
    result.then(
      (value) => arrive(() => resolve(value)),
      (error: unknown) => arrive(() => reject(error)),
    )
  })
}

type AnyIterator = Iterator<unknown> & Partial<Record<symbol, unknown>>

function isIterator(result: unknown): result is AnyIterator {
  return typeof result === 'object' && result !== null && typeof (result as { next?: unknown }).next === 'function'
}

function iteratorOf(made: AnyIterator, guard: CodeGuard): object {
  const self = (): object => iterator
  const iterator = {
    next: (...given: [] | [unknown]) => {
      // Of a dead one's asynchronous generator, somebody may still ask for more.
      if (!guard.enter()) return Symbol.asyncIterator in made ? new Promise(() => undefined) : { done: true }
      fuse.visit()
      return made.next(...given)
    },
    return: (value?: unknown) => made.return?.(value) ?? { done: true, value },
  }
  for (const kind of [Symbol.iterator, Symbol.asyncIterator])
    if (kind in made) Object.assign(iterator, { [kind]: self })
  return iterator
}
