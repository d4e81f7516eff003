/** What waits for each signal. A long-lived signal may be shared by thousands of pushes: Node warns of more than ten listeners. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls `act` when the signal aborts: one listener for each signal, however many wait for it.
 * @returns what forgets `act`; a signal may outlive all that waited for it
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal === undefined) return () => undefined
  const acts = waiting.get(signal) ?? listen(signal)
  acts.add(act)
  return () => {
    acts.delete(act)
    if (acts.size > 0 || waiting.get(signal) !== acts) return
    waiting.delete(signal)
    signal.removeEventListener('abort', tellAll)
  }
}

function listen(signal: AbortSignal): Set<() => void> {
  const acts = new Set<() => void>()
  waiting.set(signal, acts)
  signal.addEventListener('abort', tellAll, { once: true })
  return acts
}

function tellAll(this: AbortSignal): void {
  const acts = waiting.get(this) ?? []
  waiting.delete(this)
  for (const act of acts) act()
}
