import type { ScaleLook } from './look.ts'

/** A busy second may take less than a core second: handlers wait. Less than this is not believed, of less work nothing is said. */
const LEAST_BURN = 0.05
const LEAST_WORK = 0.1

/** The cores as the busy time of workers sees them: where handlers wait, a core serves several. */
export function coresOfBusy({ measurements, waiting, cores }: ScaleLook): number {
  const work = Object.entries(measurements.nodes).reduce(
    (sum, [node, { busy, workers }]) => sum + (waiting.has(node) ? 0 : busy * workers),
    0,
  )
  const burn = work < LEAST_WORK ? 1 : Math.min(1, Math.max(LEAST_BURN, cores.used / work))
  return cores.available / burn
}
