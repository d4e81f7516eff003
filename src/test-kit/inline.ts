import { validateOptions } from '../analysis/validate-options.ts'
import { MillraceError } from '../errors.ts'
import type { GraphData, GraphMaker, Parametrised } from '../graph/types.ts'
import { type Given, INLINE_OPTIONS, type Resolved, resolve } from '../options/index.ts'
import { plan as planOf } from '../plan/plan.ts'
import type { Plan } from '../plan/types.ts'
import { type DeadLetter, DeadLetters } from '../supervisor/dead-letters.ts'
import { Events } from '../supervisor/events.ts'
import { RecordEvents } from '../supervisor/record-events.ts'
import { type Report, reportOf } from '../supervisor/report.ts'
import { PushSupply, Receipt } from '../worker/source/push.ts'
import { graphOf, handOver } from '../worker/thread/find-graph.ts'
import { Books } from './books.ts'
import { type RunClock, RealClock } from './clock.ts'
import { fuse } from './fuse.ts'
import { type Shared, share } from './life.ts'
import { OneThread } from './one-thread.ts'
import { Random } from './random.ts'
import { VirtualClock } from './virtual-clock.ts'

/** Options of `inline`; `docs/options.md` says what each is for. */
export interface InlineOptions<Params = unknown> extends Omit<Given<typeof INLINE_OPTIONS>, 'params'> {
  readonly params?: Params
  /** Records for sources with `push: true`, by node: they end after them. */
  readonly input?: Readonly<Record<string, readonly unknown[]>>
}

/** The options of an inline run; `params` may be left out only where the graph does without. */
type InlineArguments<Params> = undefined extends Params
  ? [options?: InlineOptions<Params>]
  : [options: InlineOptions<Params> & { readonly params: Params }]

/** What came of a run on one thread. */
export interface InlineRun {
  /** What came out at each sink without `write`, in its order. */
  readonly outputs: Readonly<Record<string, readonly unknown[]>>
  /** Its `seconds` are those of the run's clock. */
  readonly report: Report
  /** Records that were given up, oldest first. */
  readonly deadLetters: readonly DeadLetter[]
  readonly steps: number
  /** Instants at which a worker could have crashed: `crashAt` names one of them. */
  readonly instants: number
  readonly crashes: number
}

/** Letters that are kept; more than any test looks at. */
const MOST_LETTERS = 100_000

/** Runs of one thread wait for each other: there is one time, and one fuse. */
let last: Promise<unknown> = Promise.resolve()

/**
 * Runs a graph to its end on this thread: the shipped stages, lanes, journals and recovery, stepped by a scheduler that goes by the
 * seed. After every step the ledger is checked, and at the end that nothing is left. With the virtual clock, no other pipeline may run in
 * this thread meanwhile.
 * @throws GRAPH_INVALID, OPTIONS_INVALID, NODE_NOT_PUSHED, PLAN_TOO_LARGE, MAKER_INVALID, HANDLER_MISSING, MODULE_NOT_LOADED; START_FAILED:
 * `setup` failed; WORKER_DIED: a source's handler failed; INLINE_NOT_OVER; INTERNAL: the ledger does not hold
 */
export function inline<Params = unknown>(
  graph: Parametrised<Params> | GraphMaker<Params>,
  ...[options = {}]: InlineArguments<Params>
): Promise<InlineRun> {
  // A worker has loaded a test file for its graph: the test is not run there.
  if (handOver(graph)) return new Promise(() => undefined)
  const { input = {}, ...rest } = options
  const problems = validateOptions(rest, INLINE_OPTIONS)
  if (problems.length > 0) return Promise.reject(new MillraceError('OPTIONS_INVALID', { graph: graph.name, problems }))
  const run = last.then(() => runInline(graph, rest, input))
  last = run.catch(() => undefined)
  return run
}

async function runInline(
  what: GraphData | GraphMaker,
  given: Given<typeof INLINE_OPTIONS>,
  input: Readonly<Record<string, readonly unknown[]>>,
): Promise<InlineRun> {
  const options = resolve(INLINE_OPTIONS, given)
  const { maxDemand, stashBytes, maxRecordBytes } = options
  // What is not asked for is made smaller where there is much of it.
  const { laneBytes } = given
  const params: unknown = structuredClone(options.params)
  const graph = typeof what === 'function' ? graphOf(what, params) : what
  const plan = withoutBlame(planOf(graph, { maxDemand, laneBytes, stashBytes, maxRecordBytes }))
  for (const node of Object.keys(input)) {
    const isPushed = plan.stages.some(
      (stage) => stage.node === node && stage.kind === 'source' && stage.host === 'embedder',
    )
    if (!isPushed) throw new MillraceError('NODE_NOT_PUSHED', { node })
  }
  const outputs: Record<string, unknown[]> = {}
  for (const { node, work } of plan.stages) if (work === 'output') outputs[node] = []
  const deadLetters = new DeadLetters(MOST_LETTERS)
  let failed: MillraceError | undefined
  const fail = (error: MillraceError): void => void (failed ??= error)
  const records = new RecordEvents({ plan, events: new Events(plan.graph), deadLetters, fail }, () => undefined)
  const shared = await share(plan, graph, {
    params,
    listener: {
      output: (node, record) => void outputs[node]!.push(record),
      event: (worker, event) => records.tell(worker, 0, event),
    },
    supplyOf: (node, wake) => supplyOf(node, input[node] ?? [], wake),
  })
  const chances = new Random(options.seed ^ 0xca5e)
  const clock: RunClock = options.clock === 'virtual' ? new VirtualClock() : new RealClock()
  clock.begin(() => chances.next())
  try {
    const startedAtMs = clock.now
    const { steps, deaths, isDraining } = await play(shared, clock, options).catch((error: unknown) => {
      throw failed ?? error
    })
    const outcome = isDraining ? 'drained' : 'finished'
    const report = reportOf(shared.memory, plan, startedAtMs, { outcome, deadlinePassed: false })
    return { outputs, report, deadLetters: deadLetters.list().reverse(), steps, instants: fuse.visits, crashes: deaths }
  } finally {
    clock.end()
  }
}

/** @throws START_FAILED, WORKER_DIED, INLINE_NOT_OVER, INTERNAL */
async function play(shared: Shared, clock: RunClock, options: Resolved<typeof INLINE_OPTIONS>): Promise<OneThread> {
  const { seed, crashAt = Infinity, crashShare, drainAfter = Infinity, maxSteps } = options
  const random = new Random(seed)
  const where = { graph: shared.plan.graph, seed }
  const books = new Books(shared, (what) => {
    throw new MillraceError('INTERNAL', { ...where, step: thread.steps, what })
  })
  const thread = new OneThread(
    shared,
    {
      random,
      clock,
      maxSteps,
      light: () => {
        const byChance = random.chance(crashShare) ? random.between(0, MOST_INSTANTS) : Infinity
        // Not all instants come while a worker is stepped: the first one that does counts.
        const asked = thread.deaths === 0 ? Math.max(0, crashAt - fuse.visits) : Infinity
        fuse.light({ visits: Math.min(byChance, asked) })
      },
      act: () => {
        if (thread.steps >= drainAfter) thread.drain()
      },
      look: () => books.balance(),
    },
    (reason) => {
      throw new MillraceError('INLINE_NOT_OVER', { ...where, reason })
    },
  )
  await thread.run()
  books.close()
  return thread
}

/** Instants of a step that a crash by chance comes within: most steps have fewer. */
const MOST_INSTANTS = 8

/** The records of a push source, as if they had all been pushed before the start, and no more to come. */
function supplyOf(node: string, records: readonly unknown[], wake: () => void): PushSupply {
  const supply = new PushSupply(wake)
  for (const record of records) supply.add({ record, receipt: new Receipt(node), settle: () => undefined })
  supply.close()
  return supply
}

/** Crashes come by chance, more of them than an option allows, and no record is to be blamed for them. */
export function withoutBlame(plan: Plan): Plan {
  const maxCrashes = Infinity
  const stages = plan.stages.map((stage) => ({
    ...stage,
    ...(stage.input && { input: { ...stage.input, maxCrashes } }),
    ...(stage.source && { source: { ...stage.source, maxCrashes } }),
  }))
  return { ...plan, stages }
}
