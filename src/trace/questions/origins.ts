import type { TracedOutput, TraceEvent, TracedRecords } from '../event.ts'

/** How many records these are together. */
export function countOf(records: readonly TracedRecords[]): number {
  return records.reduce((sum, { count }) => sum + count, 0)
}

/** The input that holds a place among all of them, and the place within it. */
export function inputAt(event: TraceEvent, place: number): { readonly input: TracedRecords; readonly index: number } {
  let index = place
  for (const input of event.inputs) {
    if (index < input.count) return { input, index }
    index -= input.count
  }
  throw new RangeError(`The event has no input ${place}.`)
}

/** Without run lengths what a batch makes came of all that it took; what any other stage sends, one of one. */
function isOfAll(event: TraceEvent): boolean {
  return event.kind === 'batch' || event.kind === 'emit'
}

/** Places among the inputs of what the record in place `index` of an output came of. */
export function parentPlaces(event: TraceEvent, output: TracedOutput, index: number): readonly number[] {
  const taken = countOf(event.inputs)
  const { origins } = output
  if (origins === undefined) {
    if (isOfAll(event)) return Array.from({ length: taken }, (_, place) => place)
    return index < taken ? [index] : []
  }
  let left = index
  for (let i = 0; i < origins.length; i += 2) {
    if (left < origins[i + 1]!) return [origins[i]!]
    left -= origins[i + 1]!
  }
  return []
}

/** Places in an output of what came of the input in place `place`. */
export function childPlaces(event: TraceEvent, { origins, count }: TracedOutput, place: number): readonly number[] {
  if (origins === undefined) {
    if (isOfAll(event)) return Array.from({ length: count }, (_, index) => index)
    return place < count ? [place] : []
  }
  const places: number[] = []
  let at = 0
  for (let i = 0; i < origins.length; i += 2) {
    const run = origins[i + 1]!
    if (origins[i] === place) for (let k = 0; k < run; k++) places.push(at + k)
    at += run
  }
  return places
}
