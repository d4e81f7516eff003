import { setImmediate } from 'node:timers/promises'
import { monotonicMs, setTimeout } from '../../time.ts'

/** What a thread that has done its work may still need, at most; the deadline of the pipeline holds beside it. */
const LEAVING_MS = 1_000
/** Requests that end by themselves: of files, names, keys, and writes to sockets. Servers, sockets and timers do not. */
const REQUEST = /Req(uest)?(Callback|Promise|Wrap)?$|^(Write|Shutdown|\w+Connect)Wrap$/

/**
 * Resolves when what the user's code has under way has ended: what was logged has arrived in the main thread, and what was
 * written is written. A thread that is ended before loses it.
 */
export async function leave(): Promise<void> {
  const until = monotonicMs() + LEAVING_MS
  // What is put off to the next turn gets its turn.
  await setImmediate()
  do await setImmediate()
  while (requestsUnderWay() > 0 && monotonicMs() < until)
  const late = new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, until - monotonicMs())).unref())
  await Promise.race([late, Promise.all([process.stdout, process.stderr].map(flushed))])
}

/** Reads, writes and look-ups that are under way in this thread: they end by themselves. */
export function requestsUnderWay(): number {
  return process.getActiveResourcesInfo().filter((name) => REQUEST.test(name)).length
}

/** Whoever reads a thread's output says what has arrived, and only then a write is over. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writable) return resolve()
    stream.write('', () => resolve())
  })
}
