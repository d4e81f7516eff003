/** `#atomics` under the condition `net`: a worker ends after so many of its stores (`fuse.ts`). */
import { fuse } from '#src/test-kit/fuse.js'

export const load: (words: Int32Array, index: number) => number = Atomics.load

export function store(words: Int32Array, index: number, value: number): number {
  fuse.store()
  return Atomics.store(words, index, value)
}

export function add(words: Int32Array, index: number, value: number): number {
  fuse.store()
  return Atomics.add(words, index, value)
}

export function compareExchange(words: Int32Array, index: number, expected: number, value: number): number {
  fuse.store()
  return Atomics.compareExchange(words, index, expected, value)
}

export const notify: (words: Int32Array, index: number) => number = Atomics.notify

export function wait(): never {
  throw new Error('nobody waits in the net: there is one thread')
}

export const waitAsync = wait
