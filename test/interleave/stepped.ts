/**
 * What the compiled-to-be-stepped code is made of. A stepped function answers a `Stepped`, and whoever called it delegates
 * to it with `yield*`; so a whole thread is one generator that stops before each of its atomic accesses.
 */
export type Kind = 'load' | 'store' | 'add' | 'exchange' | 'notify' | 'wait'

export type Steps = Generator<Access, unknown, number>

export abstract class Stepped {
  /** Made and not yet delegated to. Anything left over has escaped the checker. */
  static open = 0

  constructor() {
    Stepped.open++
  }

  abstract [Symbol.iterator](): Iterator<Access, unknown, number>
}

/** A call of a stepped function. */
export class Call extends Stepped {
  readonly #steps: Steps

  constructor(steps: Steps) {
    super()
    this.#steps = steps
  }

  [Symbol.iterator](): Steps {
    Stepped.open--
    return this.#steps
  }
}

/** One atomic access that is about to happen. */
export class Access extends Stepped implements Iterator<Access, unknown, number> {
  readonly kind: Kind
  readonly word: number
  readonly value: number
  /** What an exchange expects to find. */
  readonly expected: number
  #isDone = false

  constructor(kind: Kind, word: number, value: number, expected = 0) {
    super()
    this.kind = kind
    this.word = word
    this.value = value
    this.expected = expected
  }

  [Symbol.iterator](): this {
    Stepped.open--
    return this
  }

  next(result: number): IteratorResult<Access, unknown> {
    if (this.#isDone) return { done: true, value: result }
    this.#isDone = true
    return { done: false, value: this }
  }
}

type Callback = (value: unknown, index: number) => unknown

/** Runs a callback that may be stepped. */
function* called(callback: Callback, value: unknown, index: number): Steps {
  const answer = callback(value, index)
  return answer instanceof Stepped ? yield* answer : answer
}

/** Methods of arrays whose callbacks are stepped. */
export const arrays: Record<string, (array: readonly unknown[], callback: Callback) => Steps> = {
  *map(array, callback) {
    const mapped: unknown[] = []
    for (let i = 0; i < array.length; i++) mapped.push(yield* called(callback, array[i], i))
    return mapped
  },
  *forEach(array, callback) {
    for (let i = 0; i < array.length; i++) yield* called(callback, array[i], i)
    return undefined
  },
  *every(array, callback) {
    for (let i = 0; i < array.length; i++) if (!(yield* called(callback, array[i], i))) return false
    return true
  },
  *some(array, callback) {
    for (let i = 0; i < array.length; i++) if (yield* called(callback, array[i], i)) return true
    return false
  },
}
