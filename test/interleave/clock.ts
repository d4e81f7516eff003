/** What stands in for `time.ts` in stepped code: time moves on only where a program says so. */
let now = 1

/** The checker: a new run begins. */
export function resetClock(): void {
  now = 1
}

export const monotonicMs = (): number => now

export const wallMs = (): number => now

export function setInterval(): undefined {
  return undefined
}

export function clearInterval(): undefined {
  return undefined
}

export function setTimeout(): undefined {
  return undefined
}

export function clearTimeout(): undefined {
  return undefined
}

/** The event loop has nothing to do, and goes on at once. */
export function setImmediate(resume: () => void): void {
  resume()
}

export function sleep(): Promise<void> {
  return Promise.resolve()
}
