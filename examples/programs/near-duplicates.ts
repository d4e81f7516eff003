/**
 * Finds texts that are almost the same. Each text becomes 64 features (MinHash of its groups of five letters), on every core;
 * texts that agree in a band of features meet in one worker, which compares them.
 *
 *     node near-duplicates.js texts.ndjson pairs.ndjson
 */
import { createReadStream } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { availableCores, dataflow, run } from 'millrace'

interface Params {
  readonly input: string
  readonly output: string
}

interface Text {
  readonly id: string
  readonly text: string
}

interface Band {
  readonly key: number
  readonly id: string
  readonly features: Uint32Array
}

const FEATURES = 64
const BAND = 4
const LETTERS = 5
const ALIKE = 0.7

/** Of all groups of letters, the smallest hash under each of 64 hash functions: alike texts have many of these in common. */
function featuresOf(text: string): Uint32Array {
  const features = new Uint32Array(FEATURES).fill(0xffffffff)
  const letters = text.toLowerCase().replaceAll(/\s+/g, ' ')
  for (let at = 0; at + LETTERS <= letters.length; at++) {
    let hash = 0x811c9dc5
    for (let i = 0; i < LETTERS; i++) hash = Math.imul(hash ^ letters.charCodeAt(at + i), 0x01000193)
    for (let i = 0; i < FEATURES; i++) {
      const other = mixed(hash, i)
      if (other < features[i]!) features[i] = other
    }
  }
  return features
}

function mixed(hash: number, seed: number): number {
  let value = Math.imul(hash ^ Math.imul(seed + 1, 0x9e3779b1), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

function* bandsOf({ id, text }: Text): Generator<Band> {
  const features = featuresOf(text)
  for (let start = 0; start < FEATURES; start += BAND) {
    const key = features.subarray(start, start + BAND).reduce((key, feature) => mixed(key, feature), start)
    yield { key, id, features }
  }
}

/** Each pair once, by the worker of the first band in which they meet. */
function* compare(band: Band, met: Map<number, Band[]>): Generator<{ pair: [string, string]; alike: number }> {
  const others = met.get(band.key) ?? []
  for (const other of others) {
    const alike = band.features.filter((feature, i) => feature === other.features[i]).length / FEATURES
    if (alike >= ALIKE) yield { pair: [other.id, band.id].sort() as [string, string], alike }
  }
  met.set(band.key, [...others, band])
}

const graph = dataflow<Params>('near-duplicates', import.meta.url)
  .source('texts', { produce: ({ params }) => createInterface(createReadStream(params.input)) })
  .transform('features', {
    concurrency: Math.max(1, Math.floor(availableCores())),
    flatMap: (line: string) => bandsOf(JSON.parse(line) as Text),
  })
  .transform('compare', {
    concurrency: 2,
    partitionBy: ({ key }: Band) => key,
    setup: () => new Map<number, Band[]>(),
    flatMap: (band: Band, { state }) => compare(band, state),
  })
  .sink('pairs')
  .connect('texts', 'features', { dataType: 'text' })
  .connect('features', 'compare', { dataType: 'band' })
  .connect('compare', 'pairs')

export default graph

const [input = 'texts.ndjson', output = 'pairs.ndjson'] = process.argv.slice(2)
const pipeline = await run(graph, { params: { input, output } })
const pairs = new Set<string>()
for await (const pair of pipeline.output('pairs')) pairs.add(`${JSON.stringify(pair)}\n`)
await appendFile(output, [...pairs].join(''))
console.log(`${pairs.size} pairs`)
