import { wait } from '#src/atomics.js'

/** Looks in vain before a thread gives its core to another for a moment: on a busy machine the other side may need it. */
const LOOKS = 2_000
const NAP_MS = 0.05
const nothing = new Int32Array(new SharedArrayBuffer(4))

/** What a thread that looks all the time does after its how-manieth look in vain. */
export function rest(vain: number): void {
  if (vain % LOOKS === 0) wait(nothing, 0, 0, NAP_MS)
}
