import { MillraceError } from '../../errors.ts'
import type { Work } from '../../plan/types.ts'
import type { CallContext, WorkerFacts } from './context.ts'
import type { AnyFunction } from './handlers.ts'
import { isThenable } from './results.ts'

/** A handler of single records that is not called with those that have expired: they fail. */
export function unlessExpired({ node, expiresBy }: WorkerFacts, handler: AnyFunction): AnyFunction {
  if (expiresBy === undefined) return handler
  return (value: unknown, context: CallContext) => {
    if (context.isExpired(expiresBy())) throw new MillraceError('RECORD_EXPIRED', { node })
    return handler(value, context)
  }
}

/** A handler of batches that gets the records that have not expired; the others fail, each by itself. */
export function withoutExpired({ node, expiresBy }: WorkerFacts, work: Work, handler: AnyFunction): AnyFunction {
  if (expiresBy === undefined) return handler
  return (values: readonly unknown[], context: CallContext) => {
    const now = expiresBy()
    const kept: number[] = []
    for (let index = 0; index < values.length; index++) {
      if (context.batch!.isExpiredAt(index, now)) context.failAt(index, new MillraceError('RECORD_EXPIRED', { node }))
      else kept.push(index)
    }
    if (kept.length === values.length) return handler(values, context)
    if (kept.length === 0) return work === 'write' ? undefined : new Array(work === 'mapEach' ? values.length : 0)
    context.narrow(kept)
    const result = handler(
      kept.map((index) => values[index]),
      context,
    )
    return work === 'mapEach' ? spread(result, kept, values.length) : result
  }
}

/** Puts each answer where its record was. Whatever is no array of them is left to whoever checks results. */
function spread(result: unknown, places: readonly number[], length: number): unknown {
  if (isThenable(result)) return result.then((settled: unknown) => spread(settled, places, length))
  if (!Array.isArray(result) || result.length !== places.length) return result
  const all = new Array<unknown>(length)
  for (const [index, place] of places.entries()) all[place] = result[index]
  return all
}
