import { readFileSync } from 'node:fs'
import type { GraphData } from 'millrace'
import { type CsvSinkOptions, type CsvSourceOptions, csvSink, csvSource } from 'millrace/csv'
import { type TailOptions, tailSource, type WatchOptions, watchSource } from 'millrace/files'
import { type NdjsonSinkOptions, type NdjsonSourceOptions, ndjsonSink, ndjsonSource } from 'millrace/ndjson'
import { type Item, outGraph, type WorkParams, workGraph } from '../work.js'

/** A window of chunks of one record each: so a test sees single records. */
const SINGLE = { chunk: 1, window: 32 }

const asItem = (line: string): Item => JSON.parse(line) as Item

export function ndjsonIn(params: WorkParams): GraphData {
  const source = ndjsonSource(params.options as NdjsonSourceOptions<Item>)
  return workGraph('ndjson-in', import.meta.url, { ...source, ...SINGLE }, params)
}

export function ndjsonOut(params: WorkParams): GraphData {
  return outGraph('ndjson-out', import.meta.url, ndjsonSink<Item>(params.options as NdjsonSinkOptions<Item>), params)
}

/** Each row has an item as JSON in its only column. */
export function csvIn(params: WorkParams): GraphData {
  const source = csvSource({
    ...(params.options as CsvSourceOptions<Item>),
    decode: (row) => asItem(row['item']!),
  })
  return workGraph('csv-in', import.meta.url, { ...source, ...SINGLE }, params)
}

export function csvOut(params: WorkParams): GraphData {
  return outGraph('csv-out', import.meta.url, csvSink<Item>(params.options as CsvSinkOptions), params)
}

export function tailIn(params: WorkParams): GraphData {
  const source = tailSource({ ...(params.options as TailOptions<Item>), decode: asItem })
  return workGraph('tail-in', import.meta.url, { ...source, ...SINGLE }, params)
}

export function watchIn(params: WorkParams): GraphData {
  const options = params.options as WatchOptions<Item>
  const source = watchSource({ ...options, decode: ({ path }) => asItem(readFileSync(path, 'utf8')) })
  return workGraph('watch-in', import.meta.url, source, params)
}
