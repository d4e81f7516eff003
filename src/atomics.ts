/**
 * The only file that names `Atomics`. `package.json` maps `#atomics` to it, or, under the condition `interleave`, to a
 * checker that stops before every access and drives all orders of them.
 *
 * All of them are sequentially consistent: JavaScript has no weaker kind. Words are elements of an `Int32Array`.
 */
export const load: (words: Int32Array, index: number) => number = Atomics.load
export const store: (words: Int32Array, index: number, value: number) => number = Atomics.store
export const add: (words: Int32Array, index: number, value: number) => number = Atomics.add
/** Stores `value` if the word is `expected`. @returns what it was */
export const compareExchange: (words: Int32Array, index: number, expected: number, value: number) => number =
  Atomics.compareExchange
export const notify: (words: Int32Array, index: number) => number = Atomics.notify
/** Blocks the thread until the word is rung, or is not `expected`, or the time is over. */
export const wait: (words: Int32Array, index: number, expected: number, timeoutMs: number) => unknown = Atomics.wait
/** The same as a promise; it keeps no event loop alive. */
export const waitAsync: (
  words: Int32Array,
  index: number,
  expected: number,
  timeoutMs: number,
) => { readonly async: boolean; readonly value: unknown } = Atomics.waitAsync
