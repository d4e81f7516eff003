/**
 * What `#atomics` is under the condition `interleave`: each access is a value that the stepped caller hands to the checker,
 * which performs it when its turn comes. Waits have no time limit here: a wake-up that is lost is a thread that never goes on.
 */
import { Access } from './stepped.ts'

export function load(_words: Int32Array, index: number): Access {
  return new Access('load', index, 0)
}

export function store(_words: Int32Array, index: number, value: number): Access {
  return new Access('store', index, value)
}

export function add(_words: Int32Array, index: number, value: number): Access {
  return new Access('add', index, value)
}

export function compareExchange(_words: Int32Array, index: number, expected: number, value: number): Access {
  return new Access('exchange', index, value, expected)
}

export function notify(_words: Int32Array, index: number): Access {
  return new Access('notify', index, 0)
}

export function wait(_words: Int32Array, index: number, expected: number): Access {
  return new Access('wait', index, expected)
}

/** No program of the checker waits for a promise. */
export function waitAsync(): never {
  throw new Error('waitAsync has no place in the checker')
}
