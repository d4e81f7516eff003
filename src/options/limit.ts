import type { OptionTable } from './spec.ts'

/** Options of rate limits. A number in their place is `perSecond`. */
export const LIMIT_OPTIONS = {
  perSecond: {
    type: 'number',
    above: 0,
    unit: 'records/s',
    text: 'Maximum number of records per second; with `by`, of each key.',
  },
  burst: {
    type: 'integer',
    min: 1,
    max: 1_000_000,
    unit: 'records',
    text: 'Number of records that may go at once after a pause; with `by`, of each key. Default: ten milliseconds of `perSecond`, and at least one.',
  },
  by: {
    type: 'handler',
    text: 'Transforms and sinks that take single records: returns the key of a record. Each key has a separate limit. A record that has to wait for its limit does not hold up those of other keys, as long as the stash has room. With several workers, `partitionBy` must be the same function.',
  },
  keys: {
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'keys',
    text: 'With `by`: maximum number of keys that a worker remembers. A key is forgotten once it may send a full `burst` again. If there is none, the records of a further key wait for one.',
  },
} as const satisfies OptionTable
