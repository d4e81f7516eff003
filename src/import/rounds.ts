/** Rounds of the graph over the files of a job, until each has ended. */
import { availableParallelism } from 'node:os'
import { changeGraph } from '../analysis/flow/what-if.ts'
import { MillraceError } from '../errors.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import type { Report } from '../supervisor/report.ts'
import { run } from '../supervisor/run.ts'
import type { Snapshot } from '../telemetry/snapshot.ts'
import type { FileProgress } from './file-progress.ts'
import graph from './graph.ts'
import type { JobData, JobFile } from './job.ts'
import { messageOf } from './problem.ts'
import type { FileResult, HeldBack, Note } from './records.ts'

/** Starting threads and connections: on a machine that is busy it takes seconds. All that takes longer is done before. */
const START_DEADLINE_MS = 120_000
/** A file that is read once more is so for one reason, and then perhaps for another. */
const MAX_ROUNDS = 5

const READ_TO_PARSE = graph.edges.findIndex(({ from, to }) => from === 'files' && to === 'parse')

interface RoundOptions {
  readonly signal: AbortSignal
  readonly onRunning?: ((pipeline: Pipeline) => void) | undefined
  readonly progress: FileProgress
}

export interface Round {
  readonly results: ReadonlyMap<string, FileResult>
  readonly snapshot?: Snapshot
  readonly failure?: string
  /** The slowest that the server was, if it was slow. */
  readonly heldBack?: HeldBack
}

/** Rounds until each file has ended: some are read once more, when all of one has been seen. */
export async function importFiles(
  job: Omit<JobData, 'files'>,
  files: readonly JobFile[],
  options: RoundOptions,
): Promise<Round> {
  const results = new Map<string, FileResult>()
  let left = files
  let last: Round = { results }
  for (let round = 1; left.length > 0 && round <= MAX_ROUNDS; round++) {
    last = await importOnce({ ...job, files: left }, options)
    for (const [path, result] of last.results) if (result.again === undefined) results.set(path, result)
    if (last.failure !== undefined || options.signal.aborted) break
    const again = new Map([...last.results].map(([path, { again }]) => [path, again]))
    left = left.filter(({ path }) => !results.has(path)).map((file) => ({ ...file, ...again.get(file.path) }))
  }
  return { ...last, results, ...(options.progress.worst === undefined ? {} : { heldBack: options.progress.worst }) }
}

async function importOnce(job: JobData, options: RoundOptions): Promise<Round> {
  const { onRunning, progress, signal } = options
  const results = new Map<string, FileResult>()
  const { connections } = job
  const cores = availableParallelism()
  const sized = changeGraph(graph, {
    nodes: { load: { concurrency: connections }, parse: { concurrency: Math.max(1, Math.min(4, cores - 1)) } },
    // One parser feeds more than a server takes that shares two cores with it: a thread that reads and parses starts sooner than two.
    edges: cores > 2 ? {} : { [READ_TO_PARSE]: { fuse: true, maxDemand: undefined, laneBytes: undefined } },
  })
  let pipeline: Pipeline
  try {
    pipeline = await run(sized, { params: job, startDeadlineMs: START_DEADLINE_MS })
  } catch (error) {
    return { results, failure: explain(error) }
  }
  onRunning?.(pipeline)
  const drain = (): void => void pipeline.drain().catch(() => undefined)
  signal.addEventListener('abort', drain, { once: true })
  if (signal.aborted) drain()
  const [failure, , lost] = await Promise.all([
    failureOf(pipeline.finished),
    keepResults(pipeline, job, results, progress),
    lostPieces(pipeline),
  ])
  signal.removeEventListener('abort', drain)
  const reason = lost ?? failure
  return { results, snapshot: pipeline.snapshot(), ...(reason === undefined ? {} : { failure: reason }) }
}

async function keepResults(
  pipeline: Pipeline,
  { files }: JobData,
  results: Map<string, FileResult>,
  progress: FileProgress,
): Promise<void> {
  for await (const note of pipeline.output('notes')) {
    const { result, file, bytes, heldBack } = note as Note
    const { path } = files[file]!
    if (heldBack !== undefined) progress.heldBack(heldBack)
    if (result === undefined) {
      progress.loaded(path, bytes)
      continue
    }
    results.set(path, result)
    if (result.again === undefined) progress.ended(path, result.rows)
    else progress.again(path)
  }
}

/** Why pieces were given up. The database is gone then, and no more is read from files. */
async function lostPieces(pipeline: Pipeline): Promise<string | undefined> {
  let reason: string | undefined
  for await (const lost of pipeline.output('lost')) {
    const { error, node } = lost as { error: { message: string; name: string }; node: string }
    reason ??= node === 'parse' ? `rows could not be parsed: ${error.message}` : messageOf(error)
    void pipeline.drain().catch(() => undefined)
  }
  return reason
}

async function failureOf(finished: Promise<Report>): Promise<string | undefined> {
  try {
    const { abandoned, deadlinePassed } = await finished
    return abandoned > 0 || deadlinePassed ? `${abandoned} pieces were in flight when the deadline passed` : undefined
  } catch (error) {
    return explain(error)
  }
}

/** The reason behind a failure of the pipeline, in words of this job. */
function explain(error: unknown): string {
  if (!(error instanceof MillraceError)) return messageOf(error)
  const { reason } = error.detail
  return typeof reason === 'string' ? reason : error.message
}
