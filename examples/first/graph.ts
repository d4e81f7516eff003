import { createReadStream } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { scryptSync } from 'node:crypto'
import { createInterface } from 'node:readline'
import { dataflow } from 'millrace'

/** What differs from run to run. */
interface Params {
  readonly input: string
  readonly output: string
}

/** Hashes the lines of a file on two cores. */
export default dataflow<Params>('hashes', import.meta.url)
  .source('lines', { produce: ({ params }) => createInterface(createReadStream(params.input)) })
  .transform('hash', {
    concurrency: 2,
    map: (line) => ({ line, hash: scryptSync(line, 'salt', 16).toString('hex') }),
  })
  .sink('save', {
    batch: { size: 100, timeoutMs: 50 },
    write: (rows, { params }) => appendFile(params.output, rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
  })
  .connect('lines', 'hash')
  .connect('hash', 'save')
