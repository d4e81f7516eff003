/** What `files` does: all files of a job, several beside each other, by the limits of their kinds and tenants. */
import { join } from 'node:path'
import { type Marked, type SourceContext, mark } from '../graph/types.ts'
import { MAX_TIMER_MS, clearTimeout, monotonicMs, setTimeout } from '../time.ts'
import { type Cursor, PIECE_BYTES, piecesOf } from './file-pieces.ts'
import { Gates } from './gates.ts'
import type { JobData } from './job.ts'
import { Pace } from './pace.ts'
import type { Piece } from './records.ts'
import { countLines } from './rows.ts'
import { strandsOf } from './strands.ts'

/** Where rows are limited: the database takes them in small portions. */
const PACED_PIECE_BYTES = 64 * 1024

/** What `files` knows beside its cursor: which limits are reached. */
export function openReader({ params }: { readonly params: JobData }): Gates {
  return new Gates(params)
}

/** Learns which pieces have ended, by the index of their file. */
export function endPieces(
  successes: readonly unknown[],
  failures: readonly unknown[],
  { state: gates }: { readonly state: Gates },
): void {
  for (const index of [...successes, ...failures]) gates.end(index as number)
}

/**
 * The handler of `files`: every file in pieces of whole rows, several files beside each other. After a crash each strand goes on
 * behind its piece that was handed on last.
 */
export async function* readFiles({
  params: job,
  cursor,
  signal,
  state: gates,
  receipts,
}: Pick<SourceContext<Gates, JobData>, 'params' | 'cursor' | 'signal' | 'state' | 'receipts'>): AsyncGenerator<
  Marked<Piece>
> {
  const starts = (cursor ?? []) as readonly StrandCursor[]
  for (const index of receipts) gates.pass(index as number)
  const pace = job.rowsPerSecond === undefined ? undefined : new Pace(job.rowsPerSecond)
  const strands = strandsOf(job).map((files, i) => new Strand(job, files, starts[i], signal))
  try {
    for (;;) {
      const strand = await nextStrand(strands, gates, signal)
      if (strand === undefined) return
      const { index } = strand
      const piece = await strand.read()
      if (piece === undefined) continue
      gates.pass(index)
      yield mark(piece, { cursor: strands.map((each) => each.cursor), receipt: index })
      const rows = countLines(piece.bytes)
      gates.passed(index, rows)
      await pace?.after(rows, signal)
    }
  } finally {
    await Promise.all(strands.map((strand) => strand.close()))
  }
}

/** Of those that may go on, the one that has handed on least; undefined at the end, and when it is to end. */
async function nextStrand(strands: readonly Strand[], gates: Gates, signal: AbortSignal): Promise<Strand | undefined> {
  for (;;) {
    const open = strands.filter(({ isOver }) => !isOver)
    if (open.length === 0 || signal.aborted) return undefined
    const now = monotonicMs()
    const free = open.filter(({ index }) => gates.opensMs(index) <= now)
    if (free.length > 0) return free.reduce((least, strand) => (strand.bytes < least.bytes ? strand : least))
    await endOr(Math.min(...open.map(({ index }) => gates.opensMs(index))) - now, gates, signal)
  }
}

/** Resolves when a piece has ended, after a time, or when the signal aborts. */
async function endOr(ms: number, gates: Gates, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, Math.min(ms, MAX_TIMER_MS))
    signal.addEventListener('abort', done)
    gates.onEnd(done)
  })
}

/** Where a strand goes on: at which of its files, and where in that. */
interface StrandCursor {
  readonly at: number
  readonly from: Cursor | null
}

/** Files that are read one after the other. */
class Strand {
  /** That were handed on. */
  bytes = 0
  readonly #job: JobData
  readonly #files: readonly number[]
  readonly #signal: AbortSignal
  #at: number
  #from: Cursor | undefined
  #reading: AsyncGenerator<Marked<Piece>> | undefined

  constructor(job: JobData, files: readonly number[], start: StrandCursor | undefined, signal: AbortSignal) {
    this.#job = job
    this.#files = files
    this.#signal = signal
    this.#at = start?.at ?? 0
    this.#from = start?.from ?? undefined
  }

  get isOver(): boolean {
    return this.#at >= this.#files.length
  }

  /** Of the file that comes next. */
  get index(): number {
    return this.#files[this.#at]!
  }

  get cursor(): StrandCursor {
    return { at: this.#at, from: this.#from ?? null }
  }

  /** The next piece; undefined where a file has ended before. */
  async read(): Promise<Piece | undefined> {
    this.#reading ??= this.#open()
    const { value, done } = await this.#reading.next()
    if (done !== true) {
      this.#from = value.cursor as Cursor
      this.bytes += value.value.bytes.length
      return value.value
    }
    this.#reading = undefined
    this.#from = undefined
    this.#at++
    return undefined
  }

  async close(): Promise<void> {
    await this.#reading?.return(undefined)
  }

  #open(): AsyncGenerator<Marked<Piece>> {
    const { index } = this
    const { directory, files, kinds, rowsPerSecond, tenantLimits } = this.#job
    const file = files[index]!
    const kind = kinds[file.kind]!
    const isPaced = [rowsPerSecond, tenantLimits?.rowsPerSecond, kind.limits?.rowsPerSecond].some(
      (limit) => limit !== undefined,
    )
    const reading = { index, file, kind, pieceBytes: isPaced ? PACED_PIECE_BYTES : PIECE_BYTES }
    return piecesOf(join(directory, file.path), reading, this.#from, this.#signal)
  }
}
