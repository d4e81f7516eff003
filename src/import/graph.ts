/** The whole import: from files to tables. Every worker imports this module and finds its handler here. */
import { dataflow } from '../graph/index.ts'
import type { JobData } from './job.ts'
import { LOAD_ATTEMPTS, closeLoader, isTransient, loadPiece, openLoader } from './load.ts'
import { parsePiece } from './parse.ts'
import { endPieces, openReader, readFiles } from './read.ts'

/** Pieces are large: few of them wait between two workers. */
const PIECES = { maxDemand: 4, laneBytes: 4 * 1024 * 1024 }

export default dataflow<JobData>('import', import.meta.url)
  .source('files', { window: 64, chunk: 1, setup: openReader, produce: readFiles, ack: endPieces })
  .transform('parse', { concurrency: 2, map: parsePiece })
  // A worker for each connection; the embedded database lives in its one worker.
  .sink('load', {
    setup: openLoader,
    teardown: closeLoader,
    maxInFlight: 1,
    maxCrashes: 5,
    retry: { maxAttempts: LOAD_ATTEMPTS, baseMs: 200, maxMs: 4_000, when: isTransient },
    write: loadPiece,
  })
  .sink('notes')
  .sink('lost')
  .connect('files', 'parse', { dataType: 'piece of a file', ...PIECES })
  .connect('parse', 'load', { dataType: 'rows for COPY', ...PIECES })
  .connect('load', 'notes', { when: 'note', dataType: 'end of a file' })
  .connect('parse', 'lost', { pathType: 'dead_letter', dataType: 'piece' })
  .connect('load', 'lost', { pathType: 'dead_letter', dataType: 'piece' })
