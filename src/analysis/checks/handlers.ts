import { isStage, resolveNode } from '../../graph/resolve.ts'
import type { GraphData, GraphNode } from '../../graph/types.ts'
import { isGiven, NODE_OPTIONS, WORK_OPTIONS } from '../../options/index.ts'
import type { ReportProblem } from '../problems.ts'
import { quote } from '../problems.ts'
import { checkLimitKeys } from './limit-keys.ts'

/** Which handlers a node may have together, and options that stand against each other. */
export function checkHandlers(graph: GraphData, report: ReportProblem): void {
  const anyHandlers = hasHandlers(graph)
  for (const node of graph.nodes) {
    checkCount(node, anyHandlers, report)
    checkDispatch(node, anyHandlers, report)
    checkLimitKeys(node, anyHandlers, report)
    if (anyHandlers) checkUnused(node, report)
    checkOwnThread(node, anyHandlers, report)
    checkLevels(node, report)
  }
  graph.edges.forEach((edge, index) => {
    const { minDemand, maxDemand } = edge
    if (isNumber(minDemand) && isNumber(maxDemand) && minDemand >= maxDemand) {
      const message = `Edge ${quote(edge.from)} → ${quote(edge.to)}: \`minDemand\` ${minDemand} is not below \`maxDemand\` ${maxDemand}.`
      report('BOUNDS_CROSSED', message, { edge: index, option: 'minDemand' })
    }
  })
  checkSelectors(graph, report)
  checkNacks(graph, report)
}

/** Whether any node does work of the user's. Without, a graph can be drawn, analysed and rehearsed, and not run. */
export function hasHandlers(graph: GraphData): boolean {
  return graph.nodes.some((node) => mainHandlers(node).length > 0)
}

/** The options that do a node's work: `setup`, `ack` and the like are not among them. */
function mainHandlers(node: GraphNode): readonly string[] {
  return WORK_OPTIONS.filter(
    (name) => NODE_OPTIONS[name].kinds.some((kind) => kind === node.kind) && isGiven(node[name]),
  )
}

function checkCount(node: GraphNode, anyHandlers: boolean, report: ReportProblem): void {
  const place = { node: node.id }
  const given = mainHandlers(node)
  if (given.length > 1) {
    report('HANDLERS_SEVERAL', `Node ${quote(node.id)} has ${given.map(quote).join(' and ')}.`, place)
  }
  // A sink without `write` is read by `pipeline.output`.
  const needs = node.kind === 'source' || node.kind === 'transform' || node.kind === 'conditional'
  if (anyHandlers && needs && given.length === 0) {
    report(
      'HANDLER_MISSING',
      `The ${node.kind} ${quote(node.id)} has no handler, while other nodes have theirs.`,
      place,
    )
  }
  if (node.kind === 'transform' && node.batch !== undefined && given.length > 0 && !given.some(isOfBatches)) {
    const message = `Node ${quote(node.id)} has \`batch\` and ${quote(given[0])}, which takes single records.`
    report('BATCH_WITHOUT_BATCH_HANDLER', message, { ...place, option: 'batch' })
  }
  for (const [option, needs] of [
    ['of', 'by'],
    ['instead', 'of'],
  ] as const) {
    if (!anyHandlers || node.batch?.[option] === undefined || node.batch[needs] !== undefined) continue
    const message = `Node ${quote(node.id)} has \`batch.${option}\` and no \`batch.${needs}\`.`
    report('BATCH_WITHOUT_KEY', message, { ...place, option: `batch.${option}` })
  }
  if (node.kind === 'source' && node.ack !== undefined && given.length === 0) {
    report('ACK_WITHOUT_SOURCE', `Source ${quote(node.id)} has \`ack\` and makes no records.`, {
      ...place,
      option: 'ack',
    })
  }
}

function isOfBatches(handler: string): boolean {
  return handler === 'mapBatch' || handler === 'mapEach'
}

/** What the thread that called `run` does itself has no pool, no attempts and no batches. */
const NOT_IN_EMBEDDER = ['setup', 'teardown', 'resourceLimits'] as const
const NOT_OF_OUTPUTS = [
  'batch',
  'retry',
  'maxInFlight',
  'preload',
  'ordered',
  'timeoutMs',
  'maxCrashes',
  'maxConcurrency',
  'scale',
  'breaker',
  'stashBytes',
] as const
const ONLY_OF_POLL = ['pollSize', 'pollMs'] as const
const OF_PRELOAD = ['preload', 'preloadSize'] as const
const ONLY_OF_ACK = ['ackBy', 'ackRetry', 'ackInFlight'] as const

/** Options that would be taken without a word, and do nothing. */
function checkUnused(node: GraphNode, report: ReportProblem): void {
  const unused = (options: readonly (keyof GraphNode)[], why: string): void => {
    for (const option of options) {
      if (node[option] === undefined) continue
      report('OPTION_UNUSED', `Node ${quote(node.id)}: ${quote(option)} does nothing if ${why}.`, {
        node: node.id,
        option,
      })
    }
  }
  const isOutput = node.kind === 'sink' && node.write === undefined
  const isPushed = node.kind === 'source' && node.push === true
  if (isOutput)
    unused([...NOT_OF_OUTPUTS, ...NOT_IN_EMBEDDER], 'a sink has no `write` and is read by `pipeline.output`')
  if (isPushed) unused([...NOT_IN_EMBEDDER, 'finish'], 'a source is fed by `pipeline.push`')
  if (node.kind === 'source' && node.poll === undefined) unused(ONLY_OF_POLL, 'a source has no `poll`')
  if (node.kind === 'source' && node.ack === undefined) unused(ONLY_OF_ACK, 'a source has no `ack`')
  else if (node.kind === 'source' && node.ackBy === undefined) unused(['ackInFlight'], 'a source has no `ackBy`')
  if (node.batch !== undefined || mainHandlers(node).some(isOfBatches))
    unused(OF_PRELOAD, 'the handler takes batches: it can look up all their records')
  else if (node.preload === undefined) unused(['preloadSize'], 'a node has no `preload`')
  if (node.kind !== 'source' && node.batch !== undefined) checkBatch(node.id, node.batch, report)
}

/** What weighs batches goes together, and so does what is about their keys. */
function checkBatch(node: string, batch: NonNullable<GraphNode['batch']>, report: ReportProblem): void {
  const isLimited = batch.weight !== undefined || batch.maxWeight !== undefined
  const place = (option: string): object => ({ node, option: `batch.${option}` })
  if (batch.weigh !== undefined && !isLimited) {
    const message = `Node ${quote(node)} has \`batch.weigh\`, and neither \`batch.weight\` nor \`batch.maxWeight\`.`
    report('BATCH_WEIGHT_HALF', message, place('weigh'))
  }
  if (batch.weigh === undefined && isLimited) {
    const option = batch.weight === undefined ? 'maxWeight' : 'weight'
    report('BATCH_WEIGHT_HALF', `Node ${quote(node)} has \`batch.${option}\`, and no \`batch.weigh\`.`, place(option))
  }
  for (const option of ['idleMs', 'maxWeight', 'maxOpen'] as const) {
    if (batch.of === undefined || batch[option] === undefined) continue
    const message = `Node ${quote(node)}: \`batch.${option}\` has no effect: \`batch.of\` says when a batch is complete.`
    report('OPTION_UNUSED', message, place(option))
  }
  for (const option of ['maxOpen', 'serial'] as const) {
    if (batch.by !== undefined || !isGiven(batch[option])) continue
    const message = `Node ${quote(node)}: \`batch.${option}\` has no effect if batches have no \`by\`.`
    report('OPTION_UNUSED', message, place(option))
  }
}

/** What is pushed and what is read has one worker, in the thread that does so. */
function checkOwnThread(
  { id, kind, push, write, concurrency = 1 }: GraphNode,
  anyHandlers: boolean,
  report: ReportProblem,
): void {
  const isRead = kind === 'sink' && write === undefined && anyHandlers
  if (concurrency === 1 || !(push === true || isRead)) return
  const does = push === true ? 'is pushed to' : 'is read by `pipeline.output`'
  report('CONCURRENCY_UNUSED', `The ${kind} ${quote(id)} asks for ${concurrency} workers, and ${does}.`, {
    node: id,
    option: 'concurrency',
  })
}

function checkDispatch(node: GraphNode, anyHandlers: boolean, report: ReportProblem): void {
  if (node.kind !== 'transform' && node.kind !== 'sink') return
  const place = { node: node.id, option: 'dispatch' }
  if (node.partitionBy !== undefined && node.dispatch !== undefined && node.dispatch !== 'partition') {
    const message = `Node ${quote(node.id)} has \`partitionBy\` and \`dispatch: ${node.dispatch}\`.`
    report('DISPATCH_CONFLICT', message, place)
  }
  // A graph read from JSON has no functions: its key is not missing, it is left out with the handlers.
  if (anyHandlers && node.dispatch === 'partition' && node.partitionBy === undefined) {
    report('PARTITION_WITHOUT_KEY', `Node ${quote(node.id)} has \`dispatch: partition\` and no \`partitionBy\`.`, place)
  }
}

function checkLevels(node: GraphNode, report: ReportProblem): void {
  const title = `Node ${quote(node.id)}`
  const crossed = (lower: [string, unknown], upper: [string, unknown]): void => {
    const [lowerName, low] = lower
    const [upperName, high] = upper
    if (!isNumber(low) || !isNumber(high) || low <= high) return
    const message = `${title}: \`${lowerName}\` ${low} is above \`${upperName}\` ${high}.`
    report('BOUNDS_CROSSED', message, { node: node.id, option: lowerName })
  }
  crossed(['concurrency', node.concurrency ?? 1], ['maxConcurrency', node.maxConcurrency])
  const { min, max } = node.scale ?? {}
  crossed(['scale.min', min], ['scale.max', max ?? node.maxConcurrency])
  crossed(['scale.min', min], ['concurrency', node.concurrency])
  crossed(['concurrency', node.concurrency], ['scale.max', max])
  if (node.scale !== undefined && max === undefined && node.maxConcurrency === undefined) {
    const message = `${title} has \`scale\`, and neither \`scale.max\` nor \`maxConcurrency\`.`
    report('SCALE_WITHOUT_MAX', message, { node: node.id, option: 'scale.max' })
  }
  crossed(['retry.baseMs', node.retry?.baseMs], ['retry.maxMs', node.retry?.maxMs])
  crossed(['ackRetry.baseMs', node.ackRetry?.baseMs], ['ackRetry.maxMs', node.ackRetry?.maxMs])
  crossed(['batch.weight', node.batch?.weight], ['batch.maxWeight', node.batch?.maxWeight])
  crossed(['breaker.pauseMs', node.breaker?.pauseMs], ['breaker.maxPauseMs', node.breaker?.maxPauseMs])
  crossed(['restart.backoffMs', node.restart?.backoffMs], ['restart.maxBackoffMs', node.restart?.maxBackoffMs])
  const { rateLimit } = resolveNode(node)
  if (isNumber(node.rate) && isNumber(rateLimit) && node.rate > rateLimit) {
    const message = `${title} declares ${node.rate} records/s and lets ${rateLimit} records/s through.`
    report('RATE_ABOVE_LIMIT', message, { node: node.id, option: 'rate' })
  }
  if (isStage(node.kind) && isNumber(node.latencyMs) && isNumber(node.serviceRate)) {
    const message = `${title} declares \`latencyMs\` and \`serviceRate\`; the rate counts.`
    report('SERVICE_SAID_TWICE', message, { node: node.id, option: 'latencyMs' })
  }
}

function checkSelectors(graph: GraphData, report: ReportProblem): void {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]))
  graph.edges.forEach(({ from, to, selector, pathType = 'normal', fuse = false }, index) => {
    const isBroadcast = nodes.get(to)?.dispatch === 'broadcast'
    if (selector === undefined || isBroadcast || (pathType === 'normal' && !fuse)) return
    const why = fuse ? 'is fused' : `its \`pathType\` is ${quote(pathType)}`
    const message = `Edge ${quote(from)} → ${quote(to)} has a selector, and ${why}.`
    report('SELECTOR_MISPLACED', message, { edge: index, option: 'selector' })
  })
}

function checkNacks(graph: GraphData, report: ReportProblem): void {
  graph.edges.forEach(({ from, to, nack, pathType }, index) => {
    if (nack !== true || pathType === 'error' || pathType === 'dead_letter') return
    const message = `Edge ${quote(from)} → ${quote(to)} has \`nack\`, and its \`pathType\` is ${quote(pathType ?? 'normal')}.`
    report('NACK_UNUSED', message, { edge: index, option: 'nack' })
  })
}

export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
