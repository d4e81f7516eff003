import type { Histogram } from 'hdr-histogram-js'
import { MOST_VALUE, upperEnd } from '../memory/histogram.ts'
import type { HistogramCopy } from './histogram-read.ts'

/** As many significant digits as the histograms in shared memory have. */
const DIGITS = 2

/**
 * A histogram in HdrHistogram's V2 encoding, compressed, as base64: what other HDR tools read. The library is loaded with the
 * first one. Cost: about 2 ms.
 */
export async function hdrBase64(copy: HistogramCopy): Promise<string> {
  const hdr = await import('hdr-histogram-js')
  const histogram: Histogram = hdr.build({
    // Counts as floats, as ours are.
    bitBucketSize: 64,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: MOST_VALUE,
    numberOfSignificantValueDigits: DIGITS,
  })
  copy.counts.forEach((count, i) => {
    if (count > 0) histogram.recordValueWithCount(upperEnd(i), count)
  })
  return hdr.encodeIntoCompressedBase64(histogram)
}
