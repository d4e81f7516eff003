/** What stands in for the clock and the event loop in stepped code: time moves on only where a program says so. */
let now = 1

/** The checker: a new run begins. */
export function resetClock(): void {
  now = 1
}

export const performance = { now: (): number => now }

export const Date = { now: (): number => now }

export function setInterval(): undefined {
  return undefined
}

export function clearInterval(): undefined {
  return undefined
}

/** The event loop has nothing to do, and goes on at once. */
export function setImmediate(resume: () => void): void {
  resume()
}
