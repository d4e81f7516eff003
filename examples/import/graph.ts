/** The whole import: from files to tables. Every worker imports this module and finds its handler here. */
import { dataflow } from 'millrace'
import { readCatalog } from './catalog.js'
import { convertRow } from './convert.js'
import { parseBlock } from './parse.js'
import { readFiles } from './read.js'
import type { DeadLetter, Row } from './records.js'
import { WRITE_ATTEMPTS, batchKey, isWorthRetry, keepUnwritten, openTarget, writeBatch } from './write.js'

export default dataflow('import', import.meta.url)
  .source('files', { window: 1_024, setup: readCatalog, produce: readFiles })
  .transform('parse', { concurrency: 2, flatMap: parseBlock })
  .transform('convert', { setup: readCatalog, map: convertRow })
  .conditional('fits', { route: ({ kind }: Row | DeadLetter) => (kind === 'row' ? 'yes' : 'no') })
  // One worker: the embedded database lives in it, and has one connection.
  .sink('postgres', {
    setup: openTarget,
    teardown: ({ database }) => database.close(),
    batch: { size: 500, timeoutMs: 100, by: batchKey },
    retry: { maxAttempts: WRITE_ATTEMPTS, baseMs: 200, maxMs: 4_000, when: isWorthRetry },
    write: writeBatch,
  })
  .sink('unwritten', {
    setup: readCatalog,
    batch: { size: 500, timeoutMs: 100, by: ({ input }) => input.file },
    write: keepUnwritten,
  })
  .sink('notes')
  .connect('files', 'parse', { dataType: 'block' })
  .connect('parse', 'convert', { dataType: 'text row' })
  .connect('convert', 'fits', { dataType: 'row or dead letter' })
  .connect('fits', 'postgres', { when: 'yes', label: 'row' })
  .connect('fits', 'postgres', { when: 'no', label: 'dead letter', pathType: 'dead_letter' })
  .connect('postgres', 'unwritten', { pathType: 'dead_letter', dataType: 'refused row' })
  .connect('parse', 'notes', { when: 'note' })
  .connect('postgres', 'notes', { when: 'note' })
  .connect('unwritten', 'notes', { when: 'note' })
