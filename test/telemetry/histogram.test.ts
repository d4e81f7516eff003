/** Histograms in shared memory have the layout of HdrHistogram: its readers can take copies of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { viewMemory } from '#src/lane/memory.js'
import { COUNT_WORDS, HISTOGRAM_BYTES, MOST_VALUE, bucketOf } from '#src/telemetry/histogram-layout.js'
import { copyHistograms, summarize, summaryOf, upperEnd } from '#src/telemetry/histogram-read.js'
import { Histogram, summaryOffset } from '#src/telemetry/histogram.js'
import { Metrics } from '#src/telemetry/prometheus.js'
import fc from 'fast-check'
import { build } from 'hdr-histogram-js'

const hdr = () =>
  build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: MOST_VALUE,
    numberOfSignificantValueDigits: 2,
    bitBucketSize: 32,
    useWebAssembly: false,
  }) as ReturnType<typeof build> & {
    countsArrayIndex(value: number): number
    getCountAtIndex(index: number): number
    countsArrayLength: number
  }

const value = fc.oneof(
  fc.nat(300),
  fc.nat(),
  fc.nat().map((n) => n * 1_000),
  fc.nat(42).map((bits) => Math.min(MOST_VALUE, 2 ** bits)),
)

test('a value has the same index as in HdrHistogram', () => {
  const other = hdr()
  assert.equal(other.countsArrayLength, COUNT_WORDS)
  fc.assert(fc.property(value, (each) => assert.equal(bucketOf(each), other.countsArrayIndex(each))))
})

test('the same values give the same counts and percentiles as in HdrHistogram, over several workers', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(value, fc.integer({ min: 1, max: 9 })), { minLength: 1 }), (values) => {
      const bytes = Math.ceil(HISTOGRAM_BYTES / 8) * 8
      const memory = viewMemory(new ArrayBuffer(2 * bytes))
      const ours = [new Histogram(memory, 0), new Histogram(memory, bytes)]
      const other = hdr()
      values.forEach(([each, count], i) => {
        ours[i % 2]!.record(each, count)
        other.recordValueWithCount(each, count)
      })
      const copy = copyHistograms(memory, [0, bytes])
      assert.deepEqual(
        [...copy.counts],
        Array.from({ length: COUNT_WORDS }, (_, i) => other.getCountAtIndex(i)),
      )
      assert.equal(copy.total, other.totalCount)
      const shares = [0.5, 0.9, 0.99, 0.999]
      const theirs = shares.map((share) => Math.min(other.getValueAtPercentile(100 * share), copy.max))
      const { p50, p90, p99, p999, ...rest } = summaryOf(copy)
      assert.deepEqual([p50, p90, p99, p999], theirs)
      // What is read where it stands, without a copy, is the same.
      assert.deepEqual(summarize(memory, [0, bytes]), { ...rest, p50, p90, p99, p999 })
      assert.deepEqual([rest.min, rest.max], [copy.min, copy.max])
    }),
    { numRuns: 60 },
  )
})

test('a summary between the count of the first value and its figures is that of nothing', () => {
  const memory = viewMemory(new ArrayBuffer(Math.ceil(HISTOGRAM_BYTES / 8) * 8))
  const before = summarize(memory, [0])
  new Histogram(memory, 0).record(7)
  memory.floats.fill(0, summaryOffset(0) / 8)
  assert.deepEqual(summarize(memory, [0]), before)
  assert.deepEqual(
    Object.values(before),
    Object.values(before).map(() => 0),
  )
})

test('a bucket of the metrics counts the values whose own bucket ends at its bound or below', () => {
  const bounds = [1, 2, 127, 255, 256, 1_000, 2_500, 1e6, 2 ** 40, MOST_VALUE, 1e15]
  fc.assert(
    fc.property(fc.array(value), fc.constantFrom(1, 1e-9), (values, scale) => {
      const memory = viewMemory(new ArrayBuffer(Math.ceil(HISTOGRAM_BYTES / 8) * 8))
      const histogram = new Histogram(memory, 0)
      for (const each of values) histogram.record(each, 1)
      const metrics = new Metrics()
      const scaled = bounds.map((bound) => bound * scale)
      metrics.histogram('h', 'Help.', { node: 'a "b"' }, copyHistograms(memory, [0]), scaled, scale)
      const counts = [...metrics.toString().matchAll(/^h_bucket\{node="a \\"b\\"",le="(?!\+)[^"]+"\} (\d+)$/gm)].map(
        ([, count]) => Number(count),
      )
      const expected = scaled.map((bound) => values.filter((each) => upperEnd(bucketOf(each)) <= bound / scale).length)
      assert.deepEqual(counts, expected)
    }),
  )
})
