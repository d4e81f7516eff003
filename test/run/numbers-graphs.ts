/** Graphs of plain numbers in arrays of numbers. */
import { type EdgeOptions, type GraphData, type TransformOptions, dataflow } from 'millrace'

const here = import.meta.url
export const COUNT = 20_000
/** What the handler at `work` says of a batch that is not of the expected kind. */
export const WRONG_KIND = -1

const lent = (struct: 'i32' | 'u32' | 'f64', more: EdgeOptions = {}): EdgeOptions => ({
  codec: { struct, view: true },
  ...more,
})

/** The numbers from 0 on in one array that is used again and again. */
function polled(
  Kind: Int32ArrayConstructor | Float64ArrayConstructor,
): (demand: number) => Int32Array | Float64Array | null {
  const buffer = new Kind(257)
  let next = 0
  return (demand) => {
    const numbers = buffer.subarray(0, Math.min(demand, buffer.length, COUNT - next))
    for (let i = 0; i < numbers.length; i++) numbers[i] = next++
    return numbers.length === 0 ? null : numbers
  }
}

/** Adds one in place, so that a batch that is handed over twice would show. */
const addOne =
  (Kind: Int32ArrayConstructor | Uint32ArrayConstructor | Float64ArrayConstructor) =>
  (numbers: number[]): number[] => {
    if (!((numbers as unknown) instanceof Kind)) return [WRONG_KIND]
    for (let i = 0; i < numbers.length; i++) numbers[i]!++
    return numbers
  }

function through(
  name: string,
  input: EdgeOptions,
  work: TransformOptions<number, number, unknown>,
  Source: Int32ArrayConstructor | Float64ArrayConstructor = Int32Array,
): GraphData {
  return dataflow(name, here)
    .source('numbers', { poll: polled(Source), chunk: 200 })
    .transform('work', work)
    .sink('out')
    .connect('numbers', 'work', input)
    .connect('work', 'out', { codec: { struct: 'f64' }, maxDemand: 100 })
}

const batch = { size: 300, timeoutMs: 5 }
export const ints: GraphData = through('ints', lent('i32'), { batch, mapBatch: addOne(Int32Array) })
export const naturals: GraphData = through('naturals', lent('u32'), { batch, mapBatch: addOne(Uint32Array) })
export const floats: GraphData = through('floats', lent('f64'), { batch, mapBatch: addOne(Float64Array) }, Float64Array)
/** From arrays of one type to an edge of another. */
export const mixed: GraphData = through('mixed', lent('f64'), { batch, mapBatch: addOne(Float64Array) })
/** Lanes for few records: what was taken waits for room, again and again. */
export const cramped: GraphData = through('cramped', lent('i32', { maxDemand: 7, laneBytes: 1_024 }), {
  batch,
  mapBatch: addOne(Int32Array),
})
export const eachByItself: GraphData = through('eachByItself', lent('i32'), { map: (n) => n + 1 })
export const filtered: GraphData = through('filtered', lent('i32'), { filter: (n) => n % 2 === 0 })
export const asyncEach: GraphData = through('asyncEach', lent('i32'), { map: async (n) => n + 1 })
export const byKey: GraphData = through('byKey', lent('i32'), {
  batch: { ...batch, by: (n) => n % 3 },
  mapBatch: addOne(Int32Array),
})
/** Fails once with each batch, after it has changed it. */
export const retried: GraphData = through('retried', lent('i32'), {
  batch,
  retry: { maxAttempts: 2, baseMs: 1 },
  mapBatch: (numbers, { attempt }) => {
    const mapped = addOne(Int32Array)(numbers)
    if (attempt === 1) throw new Error('not yet')
    return mapped
  },
})
/** Dies once in the middle, after it has changed the batch. */
export const dying: GraphData = through('dying', lent('i32'), {
  batch,
  mapBatch: (numbers, { attempt }) => {
    const isFatal = attempt === 1 && numbers.includes(COUNT / 2)
    const mapped = addOne(Int32Array)(numbers)
    if (isFatal) process.exit(1)
    return mapped
  },
})
