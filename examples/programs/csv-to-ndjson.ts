/**
 * Converts CSV to NDJSON on every core, in the order of its lines: records are blocks of lines, so what a record costs is paid
 * once for thousands of rows. A `.gz` at the end of a name is honoured.
 *
 *     node csv-to-ndjson.js trips.csv.gz trips.ndjson
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { availableCores, dataflow, run } from 'millrace'

type Params = Readonly<Record<'input' | 'output', string>>

/** Whole lines, at first of CSV with its header, then of NDJSON. Workers finish them in any order: the index says which. */
interface Block {
  readonly index: number
  readonly text: string
}

/** Blocks of whole lines; a line break between quotes ends none. */
async function* blocksOf(path: string): AsyncGenerator<Block> {
  const bytes = createReadStream(path, { highWaterMark: 1 << 16 })
  const texts = (path.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes).setEncoding('utf8')
  let header: string | undefined
  let index = 0
  let rest = ''
  for await (const text of texts as AsyncIterable<string>) {
    rest += text
    const end = lastRowEnd(rest)
    if (end === 0) continue
    const start = header === undefined ? rest.indexOf('\n') + 1 : 0
    header ??= rest.slice(0, start)
    if (end > start) yield { index: index++, text: header + rest.slice(start, end) }
    rest = rest.slice(end)
  }
  if (header !== undefined && rest !== '') yield { index, text: header + rest }
}

/** Where the last whole row ends: after the last line break with an even number of quotes before it. */
function lastRowEnd(text: string): number {
  let end = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) isQuoted = !isQuoted
    else if (code === 0x0a && !isQuoted) end = at + 1
  }
  return end
}

/** Rows with too few or too many cells are taken as far as they go. */
const RELAXED = { relax_quotes: true, relax_column_count: true }

function convert({ index, text }: Block): Block {
  const objects: object[] = parse(text, { columns: true, bom: true, ...RELAXED, cast: typed })
  return { index, text: objects.map((object) => `${JSON.stringify(object)}\n`).join('') }
}

function typed(value: string): unknown {
  if (value === '') return null
  if (value === 'true' || value === 'false') return value === 'true'
  return /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(value) ? Number(value) : value
}

/** Workers finish blocks in any order. A block is done when it and all before it are written. */
function inOrder(path: string) {
  const file = createWriteStream(path)
  const held = new Map<number, () => void>()
  let next = 0
  const write = ({ index, text }: Block): Promise<void> =>
    new Promise((resolve) => {
      held.set(index, () => (held.delete(index), file.write(text, () => resolve())))
      for (let go = held.get(next); go !== undefined; go = held.get(++next)) go()
    })
  return { write, close: () => finished(file.end()) }
}

const graph = dataflow<Params>('csv-to-ndjson', import.meta.url)
  .source('blocks', { chunk: 1, window: 16, produce: ({ params }) => blocksOf(params.input) })
  .transform('convert', { concurrency: Math.max(1, Math.floor(availableCores())), map: convert })
  .sink('write', {
    maxInFlight: 16,
    setup: ({ params }) => inOrder(params.output),
    write: (part, { state }) => state.write(part),
    teardown: (file) => file.close(),
  })
  .connect('blocks', 'convert', { dataType: 'rows' })
  .connect('convert', 'write', { dataType: 'lines' })

export default graph

const [input = 'in.csv', output = 'out.ndjson'] = process.argv.slice(2)
// All blocks in flight may wait in the sink for one, so its stash has room for them.
const pipeline = await run(graph, { params: { input, output }, stashBytes: 16 << 20 })
const { acked, failed, seconds } = await pipeline.finished
console.log(`${acked} blocks converted, ${failed} failed, in ${seconds.toFixed(2)} s`)
