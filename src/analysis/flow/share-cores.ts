import { coreLoad } from './filling.ts'
import type { Model } from './model.ts'
import { predict, type Prediction, type PredictOptions } from './predict.ts'

const STEPS = 40

/**
 * The flow while stages with a backlog compete for the cores. The system shares them by workers: all that have work get the
 * same part of a core, those that need less keep to what they need. The part at which the cores are just busy is found by
 * bisection. (With back-pressure everywhere this is the same as filling the cores, which `predict` does.)
 */
export function predictShared(model: Model, options: PredictOptions): Prediction {
  const alone = predict({ ...model, cores: Infinity }, options)
  if (coreLoad(model, alone.into) <= model.cores) return alone
  let [enough, tooMuch] = [0, 1]
  for (let step = 0; step < STEPS; step++) {
    const part = (enough + tooMuch) / 2
    if (coreLoad(model, predict(capped(model, part), options).into) > model.cores) tooMuch = part
    else enough = part
  }
  return predict(capped(model, enough), options)
}

/** Each worker of a `cpu` stage gets at most this part of a core. */
function capped(model: Model, part: number): Model {
  const services = model.services.map((service) => {
    const { rate, servers, workerMs, workerCoreSeconds, fused } = service
    if (workerCoreSeconds === 0 || fused !== undefined) return service
    // The part of its time in which a worker waits needs no core.
    const seconds = workerMs / 1_000 + workerCoreSeconds * (1 / part - 1)
    return { ...service, rate: Math.min(rate, servers / seconds) }
  })
  return { ...model, cores: Infinity, services }
}
