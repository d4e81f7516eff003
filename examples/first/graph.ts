import { createReadStream } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { scryptSync } from 'node:crypto'
import { createInterface } from 'node:readline'
import { dataflow } from 'millrace'

/** Hashes the lines of a file on two cores. INPUT and OUTPUT name the files. */
const { INPUT = 'package.json', OUTPUT = 'hashes.ndjson' } = process.env

export default dataflow('hashes', import.meta.url)
  .source('lines', { produce: () => createInterface(createReadStream(INPUT)) })
  .transform('hash', {
    concurrency: 2,
    map: (line) => ({ line, hash: scryptSync(line, 'salt', 16).toString('hex') }),
  })
  .sink('save', {
    batch: { size: 100, timeoutMs: 50 },
    write: (rows) => appendFile(OUTPUT, rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
  })
  .connect('lines', 'hash')
  .connect('hash', 'save')
