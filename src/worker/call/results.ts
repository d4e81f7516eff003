import { areNumbers } from '../../codec/struct.ts'
import { MillraceError } from '../../errors.ts'
import type { Work } from '../../plan/types.ts'

/** What each kind of handler is to return, as the error says it. The others may return anything. */
const EXPECTED = {
  filter: 'true or false',
  flatMap: 'an array or another iterable of records, or an async one',
  mapBatch: 'an array or another iterable of records',
  mapEach: 'an array or another iterable of as many records as the batch has',
  preload: 'an array of as many values as it is given records, or a promise of one',
  route: 'the name of a branch, at once',
  partitionBy: 'a string, or a number other than NaN, at once',
  'batch.by': 'a string, or a number other than NaN, at once',
  'rateLimit.by': 'a string, or a number other than NaN, at once',
  'batch.of': 'a whole number from 1 to `batch.size`, or undefined, at once',
  'batch.weigh': 'a finite number of at least 0, at once',
  ackBy: 'a string, or a number other than NaN, at once',
  selector: 'true or false, at once',
  produce: 'an iterable or an async iterable of records, at once',
  poll: 'an array of records, or null at the end',
  finish: 'nothing, an iterable or async iterable of records, or a promise of one',
} as const

export type CheckedHandler = keyof typeof EXPECTED
type KeyHandler = 'partitionBy' | 'batch.by' | 'rateLimit.by' | 'ackBy'
const KEYS: ReadonlySet<CheckedHandler> = new Set<KeyHandler>(['partitionBy', 'batch.by', 'rateLimit.by', 'ackBy'])

/** The error of a handler that returned something else. The value itself is not told: it may be huge. */
export function invalidResult(node: string, handler: CheckedHandler, result: unknown): MillraceError {
  // Nobody waits for a promise that should not be there, and one that fails unseen would end the thread.
  if (isThenable(result)) result.then(undefined, () => undefined)
  const code = KEYS.has(handler) ? 'KEY_INVALID' : 'HANDLER_RESULT_INVALID'
  return new MillraceError(code, { node, handler, returned: kindOf(result), expected: EXPECTED[handler] })
}

/** What the answer of a handler means, once it is no promise any more: several records are taken as a whole, so that a failure in the middle sends nothing. */
export function settled(node: string, work: Work, result: unknown): unknown {
  if (work === 'filter') return booleanOf(node, work, result)
  if (work === 'flatMap') return Array.isArray(result) ? result : [...iterableOf(node, work, result)]
  if (work === 'mapBatch' || work === 'mapEach')
    return areNumbers(result) ? result : [...iterableOf(node, work, result)]
  return result
}

export function booleanOf(node: string, handler: 'filter' | 'selector', result: unknown): boolean {
  if (typeof result === 'boolean') return result
  throw invalidResult(node, handler, result)
}

export function branchOf(node: string, result: unknown): string {
  if (typeof result === 'string') return result
  throw invalidResult(node, 'route', result)
}

/** @throws KEY_INVALID */
export function keyOf(node: string, handler: KeyHandler, result: unknown): string | number {
  if (typeof result === 'string' || (typeof result === 'number' && !Number.isNaN(result))) return result
  throw invalidResult(node, handler, result)
}

/** How many records a batch has. */
export function batchCountOf(node: string, result: unknown, most: number): number | undefined {
  if (result === undefined || (Number.isInteger(result) && (result as number) >= 1 && (result as number) <= most))
    return result as number | undefined
  throw invalidResult(node, 'batch.of', result)
}

export function weightOf(node: string, result: unknown): number {
  if (typeof result === 'number' && result >= 0 && result < Infinity) return result
  throw invalidResult(node, 'batch.weigh', result)
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

/** A text is iterable too, but nobody means its letters. */
function iterableOf(node: string, handler: 'flatMap' | 'mapBatch' | 'mapEach', result: unknown): Iterable<unknown> {
  if (typeof result === 'object' && result !== null && Symbol.iterator in result) return result as Iterable<unknown>
  throw invalidResult(node, handler, result)
}

/** One record for each of so many. @throws HANDLER_RESULT_INVALID */
export function settledEach(node: string, result: unknown, records: number): ArrayLike<unknown> {
  const results = settled(node, 'mapEach', result) as ArrayLike<unknown>
  if (results.length === records) return results
  const returned = `${results.length} records for ${records}`
  throw new MillraceError('HANDLER_RESULT_INVALID', { node, handler: 'mapEach', returned, expected: EXPECTED.mapEach })
}

/** One value for each of so many records. @throws HANDLER_RESULT_INVALID */
export function preloadedEach(node: string, result: unknown, records: number): readonly unknown[] {
  if (!Array.isArray(result)) throw invalidResult(node, 'preload', result)
  if (result.length === records) return result
  const returned = `${result.length} values for ${records} records`
  throw new MillraceError('HANDLER_RESULT_INVALID', { node, handler: 'preload', returned, expected: EXPECTED.preload })
}

function kindOf(value: unknown): string {
  if (value === null || ['undefined', 'boolean', 'number'].includes(typeof value)) return String(value)
  if (isThenable(value)) return 'a promise'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
