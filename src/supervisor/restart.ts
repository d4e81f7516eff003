import type { RESTART_OPTIONS, Resolved } from '../options/index.ts'

/** What happens after a death. */
type Verdict = { readonly restart: true; readonly delayMs: number } | { readonly restart: false }

/** An infinite factor would make a delay of 0 into NaN. */
const MAX_FACTOR = 2 ** 53

/**
 * Whether a dead worker is replaced, and after which delay: the first restart within the window at once, the next ones after
 * a delay that doubles.
 * @param deathsAt times of the stage's deaths that count, this one included, in ms, oldest first
 */
export function restartVerdict(
  policy: Omit<Resolved<typeof RESTART_OPTIONS>, 'maxPoison' | 'exhausted'>,
  deathsAt: readonly number[],
  nowMs: number,
): Verdict {
  const recent = deathsAt.filter((at) => nowMs - at < policy.withinMs).length
  if (recent > policy.maxRestarts) return { restart: false }
  const delayMs =
    recent <= 1 ? 0 : Math.min(policy.maxBackoffMs, policy.backoffMs * Math.min(2 ** (recent - 2), MAX_FACTOR))
  return { restart: true, delayMs }
}
