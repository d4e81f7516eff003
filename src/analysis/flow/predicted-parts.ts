import type { Limit } from './limits.ts'
import type { Model } from './model.ts'
import type { Parts } from './parts.ts'
import type { Prediction } from './predict.ts'

/** A prediction of the whole graph, part by part. */
export function predictedParts(
  { parts, of, place }: Parts,
  prediction: Prediction,
): readonly { part: Model; predicted: Prediction }[] {
  const inPart = <T extends Limit>(limit: T): T =>
    limit.node === undefined ? limit : { ...limit, node: place[limit.node]! }
  const origins = parts.map((): number[] => [])
  prediction.origins.forEach(({ node }, index) => origins[of[node]!]!.push(index))
  const met = parts.map((): Prediction['met'][number][] => [])
  for (const limit of prediction.met) met[of[limit.node!]!]!.push(inPart(limit))
  return parts.map(({ model, nodes }, part) => {
    const own = origins[part]!
    const rates = own.map((index) => prediction.rates[index]!)
    return {
      part: model,
      predicted: {
        origins: own.map((index) => ({ ...prediction.origins[index]!, node: place[prediction.origins[index]!.node]! })),
        rates,
        limits: own.map((index) => inPart(prediction.limits[index]!)),
        holders: own.map((index) => prediction.holders[index] && inPart(prediction.holders[index])),
        met: met[part]!,
        into: Float64Array.from(nodes, (node) => prediction.into[node]!),
        leaving: Float64Array.from(nodes, (node) => prediction.leaving[node]!),
        offered: Float64Array.from(nodes, (node) => prediction.offered[node]!),
        throughput: model.sources.reduce((sum, _, index) => sum + rates[index]!, 0),
      },
    }
  })
}
