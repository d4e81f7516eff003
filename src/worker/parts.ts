import { errorText } from '../errors.ts'
import { load } from '#atomics'
import { Heads } from '../lane/heads.ts'
import { Journal } from '../lane/journal.ts'
import { AckReader } from '../lane/acks.ts'
import { Slots } from '../lane/slots.ts'
import type { Memory } from '../memory/memory.ts'
import { COMMAND, DETACHED, DRAINING, PHASE } from '../memory/control.ts'
import type { SourcePlan } from '../plan/source-plan.ts'
import type { Plan, WorkerPlan } from '../plan/types.ts'
import { Histogram } from '../telemetry/histogram.ts'
import { Clock } from './clock.ts'
import { Pending } from './hold/pending.ts'
import { End } from './in/end.ts'
import { Hand } from './hold/hand.ts'
import type { WorkerFacts } from './call/context.ts'
import type { Handlers } from './call/handlers.ts'
import { Inlet, type Reading } from './in/inlet.ts'
import { Markers } from './in/markers.ts'
import { Tenure } from './in/tenure.ts'
import { Outlet } from './out/outlet.ts'
import { CallBreaker, BreakingLimit } from './limit/breaker.ts'
import { RateLimit } from './limit/rate-limit.ts'
import { Pacing } from './source/pacing.ts'
import { OpenChunks } from './source/open-chunks.ts'
import { Progress } from './source/progress.ts'
import { SlotReasons } from './source/slot-reasons.ts'
import type { Supply } from './source/supply.ts'
import { Settlement } from './out/settlement.ts'
import { Recorder } from './trace/recorder.ts'
import type { Parts, SourceSide, StageHistograms, WorkerEvent } from './stage.ts'
import { monotonicMs } from '../time.ts'

/** Makes the parts of one worker on its memory. A successor's parts go on where its predecessor's last hand-off ended. */
export function makeParts(given: {
  plan: Plan
  worker: number
  memory: Memory
  /** Which life of the worker this is. */
  epoch?: number
  assembly: Memory
  handlers: Handlers
  state: unknown
  stopped: AbortSignal
  draining: AbortSignal
  supply?: Supply | undefined
  wake: () => void
  report: (event: WorkerEvent) => void
}): Parts {
  const { plan, memory, handlers, state } = given
  const report = limited(given.report)
  const worker = plan.workers[given.worker]!
  const stage = plan.stages[worker.stage]!
  const journal = new Journal(memory, worker.journal)
  handlers.isDetached = isDetached(memory, worker)
  const pending = new Pending(memory, worker.stash, journal)
  const slots = worker.slots && new Slots(memory, worker.slots)
  const { ack, reasonWords = 0 } = stage.source ?? {}
  const reasons = slots && reasonWords > 0 ? new SlotReasons(slots, ack && pending) : undefined
  const hasLine = ack !== undefined || worker.keepsWatermark === true
  const source: SourceSide | undefined = slots && {
    slots,
    acks: worker.ackInputs.map(({ layout }) => new AckReader(memory, layout)),
    progress: new Progress(memory, worker.progress!),
    openChunks: hasLine ? new OpenChunks({ memory, progress: worker.progress!, slots, pending, reasons }) : undefined,
    reasons,
  }
  const clock = new Clock(memory, worker.times)
  const recorder =
    worker.trace &&
    new Recorder({
      memory,
      plan,
      stage,
      worker,
      journal,
      clock,
      epoch: given.epoch ?? 0,
      slots: source?.slots,
      redact: (link) => handlers.redact(link),
    })
  const own = source && {
    settle: source.slots.settle.bind(source.slots),
    tell: source.reasons && source.reasons.add.bind(source.reasons),
  }
  const { timeoutMs = 0, maxCrashes = 0 } = stage.input ?? {}
  const hand = new Hand(memory, worker.hand, timeoutMs > 0)
  const sourcesHere = worker.source === undefined ? stage.sourcesAbove : [worker.source]
  const heads = headsOf(plan, sourcesHere, memory)
  const settlement = new Settlement(memory, plan, worker.ackOutputs, stage.sourcesAbove, own)
  const facts: WorkerFacts = {
    node: stage.node,
    worker: worker.ordinal,
    workers: stage.concurrency,
    state,
    params: handlers.params,
    tracing: recorder,
    heads,
    ...(heads !== undefined &&
      stage.input?.isBehindFailures !== true && {
        expiresBy: () => (hand.isResuming ? -Infinity : monotonicMs()),
      }),
    canRelease: sourcesHere.every((number) => sourceOf(plan, number).chunk === 1),
    branches: new Set(stage.nodes[0]!.branches.map(({ when }) => when)),
  }
  const outlet = new Outlet({
    memory,
    plan,
    stage,
    worker,
    counters: journal.counters,
    settlement,
    handlers,
    recorder,
    facts,
    stopped: given.stopped,
    onFault(node, input, { error, attempts }, outcome, recordId) {
      const name = outcome === 'failed' ? 'record.failed' : 'record.deadLettered'
      report({ name, node, recordId, attempts, error: errorText(error), input })
    },
  })
  const phase = plan.control.offset / 4 + PHASE
  const breaker =
    stage.input?.breaker &&
    new CallBreaker(stage.input.breaker, {
      opened: (attempts, error) =>
        given.report({ name: 'breaker.opened', node: stage.node, attempts, error: errorText(error) }),
      closed: (attempts, error) =>
        given.report({ name: 'breaker.closed', node: stage.node, attempts, error: errorText(error) }),
    })
  // A record that has killed its share is read once more, to be given up; if that kills too, it is given up unread.
  const reading: Reading = {
    start(chunk) {
      const deaths = hand.startReading(chunk, chunk.from, chunk.count)
      return deaths > maxCrashes ? deaths : 0
    },
    end: () => hand.endReading(),
  }
  const inlet = new Inlet({
    memory,
    assembly: given.assembly,
    plan,
    ends: worker.inputs,
    tenure: stage.sizing === undefined ? undefined : new Tenure(memory, plan, stage, worker),
    reading,
    onDrop(chunk, records, hasEnded) {
      journal.counters[chunk.lane!.dropped!]! += records
      const { link } = chunk.lane!
      const from = hasEnded ? chunk.from : chunk.from - records
      recorder?.droppedOldest(chunk, from, records, link.dropEdge ?? link.edges.at(-1)!)
      settlement.drop(chunk, records)
      if (hasEnded) settlement.toggle(chunk)
    },
  })
  return {
    plan,
    stage,
    worker,
    memory,
    journal,
    handlers,
    inlet,
    end: new End(memory, plan, stage, inlet),
    outlet,
    settlement,
    pending,
    markers: new Markers(memory, plan, stage, inlet, pending.stash, outlet.mark),
    hand,
    clock,
    recorder,
    facts,
    isFirstLife: (given.epoch ?? 0) === 0,
    stopped: given.stopped,
    draining: given.draining,
    limit: breaker === undefined ? new RateLimit(memory, stage.limit) : new BreakingLimit(memory, stage.limit, breaker),
    breaker,
    source,
    supply: given.supply,
    histograms: Object.fromEntries(
      Object.entries(worker.histograms).map(([kind, offset]) => [kind, new Histogram(memory, offset)]),
    ) as StageHistograms,
    wake: given.wake,
    isDraining: () => load(memory.words, phase) >= DRAINING,
    report,
  }
}

/** Whether a worker that starts now runs without its handler. */
export function isDetached({ words }: Memory, { control }: WorkerPlan): boolean {
  return (load(words, control.offset / 4 + COMMAND) & DETACHED) !== 0
}

/** Reads the heads of what comes of these sources; undefined where none of them gives any. */
function headsOf(plan: Plan, sources: readonly number[], memory: Memory): Heads | undefined {
  if (sources.every((number) => sourceOf(plan, number).metaBytes === undefined)) return undefined
  return new Heads(
    memory,
    plan.sources.map((worker) => plan.workers[worker]!.slots!.heads),
  )
}

function sourceOf({ sources, workers, stages }: Plan, number: number): SourcePlan {
  return stages[workers[sources[number]!]!.stage]!.source!
}

/** Events of a worker per second, at most; and so many at once. */
const EVENTS_PER_SECOND = 200
const EVENTS_AT_ONCE = 100

/** Lets so many events through; the next one tells how many were left out. */
function limited(report: (event: WorkerEvent) => void): (event: WorkerEvent) => void {
  const pacing = new Pacing(EVENTS_PER_SECOND, monotonicMs(), EVENTS_AT_ONCE)
  let suppressed = 0
  return (event) => {
    // Few, for each comes after the attempts of a call; and one may be what stops the pipeline.
    if (event.name === 'ack.failed') return report(event)
    if (pacing.allowed(monotonicMs()) < 1) {
      suppressed++
      return
    }
    pacing.take(1)
    report(suppressed === 0 ? event : { ...event, suppressed })
    suppressed = 0
  }
}
