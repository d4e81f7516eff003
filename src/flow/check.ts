import { quote } from '../analysis/problems.ts'
import { DEFAULT_ITEMS, DEFAULT_REQUESTS } from './limits.ts'
import type { FlowData, FlowPart } from './data.ts'
import { FLOW_PROBLEMS, type FlowProblem, type FlowProblemCode } from './problems.ts'

type Report = (code: FlowProblemCode, message: string, step?: string) => void

/** What concerns all parts. */
interface Check {
  readonly report: Report
  readonly maxRequests: number
}

/** Nodes that every flow's graph has. */
const RESERVED = new Set(['request', 'answer'])
/** Most requests at once, as many as a source may have records in flight. */
const MAX_REQUESTS = 65_536
const MAX_JOIN_BYTES = 536_870_912
const MAX_ITEMS = 100_000
/** What joins wait for at most, over all open requests: so many small parcels fit the largest stash. */
const MAX_WAITING = 262_144

/** All problems of a flow, and of the flows in it. */
export function checkFlow(flow: FlowData): readonly FlowProblem[] {
  const problems: FlowProblem[] = []
  const report: Report = (code, message, step) =>
    problems.push(
      Object.freeze({ code, message, fix: FLOW_PROBLEMS[code].fix, ...(step === undefined ? {} : { step }) }),
    )
  if (typeof flow.name !== 'string' || flow.name === '') report('FLOW_NAME_INVALID', 'The flow has no name.')
  const { maxRequests = DEFAULT_REQUESTS, joinBytes = 4_096 } = flow.settings
  checkNumber('maxRequests', maxRequests, [1, MAX_REQUESTS], report)
  checkNumber('joinBytes', joinBytes, [4_096, MAX_JOIN_BYTES], report)
  check(flow, '', { report, maxRequests })
  return problems
}

function checkNumber(
  name: string,
  value: unknown,
  [least, most]: readonly [number, number],
  report: Report,
  step?: string,
): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return
  report('FLOW_OPTION_INVALID', `${quote(name)} must be an integer from ${least} to ${most}.`, step)
}

function check(flow: FlowData, prefix: string, common: Check): void {
  const { report } = common
  const place = (id: string): string => prefix + id
  if (flow.parts.length === 0)
    return report('FLOW_EMPTY', `The flow ${quote(flow.name)} has no step.`, prefix.slice(0, -1))
  const seen = new Set<string>()
  for (const part of flow.parts) {
    checkName(part.id, place(part.id), report)
    if (seen.has(part.id)) report('FLOW_NAME_DUPLICATE', `Two steps have the name ${quote(part.id)}.`, place(part.id))
    seen.add(part.id)
    checkPart(part, place(part.id), common)
  }
  checkEdges(flow, seen, place, report)
  if (checkCycle(flow, place, report)) return
  const entries = [...seen].filter((id) => flow.links.every(({ to }) => to !== id))
  const ends = [...seen].filter((id) => flow.links.every(({ from }) => from !== id))
  if (entries.length > 1) report('FLOW_ENTRY_SEVERAL', `No step is before ${named(entries)}.`, place(entries[1]!))
  if (ends.length > 1) report('FLOW_END_SEVERAL', `No step is after ${named(ends)}.`, place(ends[0]!))
}

function named(ids: readonly string[]): string {
  return ids.map(quote).join(', ')
}

function checkName(id: string, step: string, report: Report): void {
  if (typeof id === 'string' && id !== '' && !/[.()/]/.test(id) && !RESERVED.has(id)) return
  report('FLOW_NAME_INVALID', `The name ${quote(id)} cannot be used.`, step)
}

function checkPart(part: FlowPart, step: string, common: Check): void {
  const { report, maxRequests } = common
  const missing = (name: string): void => report('FLOW_HANDLER_MISSING', `${quote(step)} has no ${quote(name)}.`, step)
  if (part.kind === 'subflow') return check(part.flow, `${step}.`, common)
  if (part.kind === 'step') {
    const { map, join, undo } = part.options
    if (typeof map !== 'function' && typeof join !== 'function') missing('map')
    if (undo !== undefined && typeof undo !== 'function') missing('undo')
  } else if (part.kind === 'branch') {
    const { when, branches = {} } = part.options
    if (typeof when !== 'function') missing('when')
    if (Object.keys(branches).length === 0) report('FLOW_BRANCH_EMPTY', `${quote(step)} has no branches.`, step)
    for (const [name, flow] of Object.entries(branches)) {
      checkName(name, `${step}.${name}`, report)
      check(flow, `${step}.${name}.`, common)
    }
  } else {
    const { items, each, maxItems = DEFAULT_ITEMS } = part.options
    if (typeof items !== 'function') missing('items')
    if (each === undefined) missing('each')
    else check(each, `${step}.each.`, common)
    checkNumber('maxItems', maxItems, [1, MAX_ITEMS], report, step)
    if (maxItems * maxRequests <= MAX_WAITING) return
    const message = `\`maxItems\` × \`maxRequests\` of ${quote(step)} is ${maxItems * maxRequests}, more than ${MAX_WAITING}.`
    report('FLOW_OPTION_INVALID', message, step)
  }
}

function checkEdges(
  { parts, links }: FlowData,
  seen: ReadonlySet<string>,
  place: (id: string) => string,
  report: Report,
): void {
  const pairs = new Set<string>()
  for (const { from, to } of links) {
    for (const id of [from, to])
      if (!seen.has(id)) report('FLOW_EDGE_UNKNOWN', `An edge names ${quote(id)}, which does not exist.`, place(id))
    const pair = JSON.stringify([from, to])
    if (pairs.has(pair))
      report('FLOW_EDGE_DUPLICATE', `Two edges lead from ${quote(from)} to ${quote(to)}.`, place(from))
    pairs.add(pair)
  }
  for (const part of parts) {
    const before = new Set(links.filter(({ to }) => to === part.id).map(({ from }) => from))
    const joins = part.kind === 'step' && typeof part.options.join === 'function'
    if (before.size > 1 && !joins)
      report(
        'FLOW_JOIN_MISSING',
        `${quote(part.id)} has ${before.size} steps before it, and no \`join\`.`,
        place(part.id),
      )
    if (before.size <= 1 && joins)
      report('FLOW_JOIN_UNUSED', `${quote(part.id)} has \`join\` and ${before.size} steps before it.`, place(part.id))
    if (part.kind === 'step' && part.options.quorum !== undefined)
      checkNumber('quorum', part.options.quorum, [1, Math.max(1, before.size)], report, place(part.id))
  }
}

/** Takes away all that has nothing before it: what is left lies on a cycle, or after one. */
function checkCycle({ parts, links }: FlowData, place: (id: string) => string, report: Report): boolean {
  let left = new Set(parts.map(({ id }) => id))
  for (;;) {
    const free = [...left].filter((id) => !links.some(({ from, to }) => to === id && left.has(from)))
    if (free.length === 0) break
    left = new Set([...left].filter((id) => !free.includes(id)))
  }
  if (left.size === 0) return false
  // The other way round: what leads to no cycle does not lie on one.
  for (;;) {
    const free = [...left].filter((id) => !links.some(({ from, to }) => from === id && left.has(to)))
    if (free.length === 0) break
    left = new Set([...left].filter((id) => !free.includes(id)))
  }
  report('FLOW_CYCLE', `These steps wait for each other: ${named([...left])}.`, place([...left][0]!))
  return true
}
