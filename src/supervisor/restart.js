/**
 * Whether a dead worker is replaced, and after which delay: the first restart within the window at once, the next ones after
 * a delay that doubles.
 * @param deathsAt times of the stage's deaths that count, this one included, in ms, oldest first
 */
export function restartVerdict(policy, deathsAt, nowMs) {
  const recent = deathsAt.filter((at) => nowMs - at < policy.withinMs).length
  if (recent > policy.maxRestarts) return { restart: false }
  const delayMs = recent <= 1 ? 0 : Math.min(policy.maxBackoffMs, policy.backoffMs * 2 ** (recent - 2))
  return { restart: true, delayMs }
}
