import type { GraphNode, Handler } from '../../graph/types.ts'
import { isGiven } from '../../options/index.ts'
import { quote, type ReportProblem } from '../problems.ts'

/** A limit by key is that of single records, and each key has it in one worker. */
export function checkLimitKeys(node: GraphNode, anyHandlers: boolean, report: ReportProblem): void {
  if (typeof node.rateLimit !== 'object' || node.rateLimit === null) return
  const { by, keys } = node.rateLimit
  const place = { node: node.id, option: 'rateLimit.by' }
  const misplaced = (why: string): void =>
    report('LIMIT_BY_MISPLACED', `Node ${quote(node.id)} has \`rateLimit.by\`, and ${why}.`, place)
  if (by === undefined) {
    // A graph read from JSON has lost its function.
    if (keys === undefined || !anyHandlers) return
    const message = `Node ${quote(node.id)}: \`rateLimit.keys\` has no effect if its limit has no \`by\`.`
    return report('OPTION_UNUSED', message, { node: node.id, option: 'rateLimit.keys' })
  }
  if (node.kind === 'source') return misplaced('is a source')
  if (isGiven(node.batch) || isGiven(node.mapBatch) || isGiven(node.mapEach)) return misplaced('takes batches')
  if (node.kind === 'sink' && node.write === undefined && anyHandlers) return misplaced('has no `write`')
  if (!hasSeveralWorkers(node) || isSame(by, node.partitionBy)) return
  const is = node.partitionBy === undefined ? 'no `partitionBy`' : 'another `partitionBy`'
  const message = `Node ${quote(node.id)} has several workers, \`rateLimit.by\` and ${is}.`
  report('LIMIT_BY_SPREAD', message, place)
}

function hasSeveralWorkers({ concurrency = 1, maxConcurrency = 1, scale }: GraphNode): boolean {
  return concurrency === 'cores' || concurrency > 1 || maxConcurrency > 1 || scale !== undefined
}

function isSame(a: Handler, b: Handler | undefined): boolean {
  if (a === b) return true
  if (typeof a === 'function' || typeof b !== 'object') return false
  return a.module === b.module && a.export === b.export
}
