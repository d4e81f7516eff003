import { maxRate } from '../flow/capacity.js'
import { whatIf } from '../flow/what-if.js'
import { quote } from '../problems.js'
import { blame } from './blame.js'
import { measuredGraph } from './measured.js'
/** A wait below this share of the time is noise. */
const HARDLY = 0.05
/** A stage that has this little time left is full, though nobody may be seen to wait for it. */
const SHORT_OF_TIME = 0.95
/** Gains below this factor are not worth a worker. */
const WORTH = 1.01
/** More workers than this are not proposed. */
const MOST_WORKERS = 256
/** Names the stage that limits a running pipeline, who waits for it, and what would help. Some predictions. */
export function explain(graph, measurements, options = {}) {
  const found = blame(graph, measurements)
  const root = found.stages.find(({ node }) => node === found.root)
  if (root === undefined) {
    return {
      bottleneck: undefined,
      sentence: 'Nothing was measured.',
      because: [],
      remedy: 'Run the pipeline for a while.',
    }
  }
  const now = measuredGraph(graph, measurements)
  const heldUp = found.stages.some(({ blocked }) => blocked > HARDLY)
  if (!heldUp && root.busy + root.limited < SHORT_OF_TIME) return idle(graph, measurements, now, options)
  const because = reasons(found, root)
  const name = quote(root.node)
  const sentence =
    root.limited > root.busy
      ? `${name} is held by its rate limit ${percent(root.limited)} of the time`
      : `${name} is busy ${percent(root.busy)} of the time`
  return {
    bottleneck: root.node,
    sentence: [sentence, ...because].join('; '),
    because,
    remedy: remedyFor(now, root, options),
  }
}
/** The chain that leads to the root; without one, whoever waits for its window to open. */
function reasons({ chain, stages }, root) {
  if (chain.length > 0) {
    return chain.map(({ node, waitsFor, share }) => {
      const whom = waitsFor === root.node ? 'it' : quote(waitsFor)
      return `${quote(node)} waits for ${whom} ${percent(share)} of the time`
    })
  }
  return stages
    .filter(({ node, blocked }) => node !== root.node && blocked > HARDLY)
    .map(({ node, blocked }) => `${quote(node)} waits for acks ${percent(blocked)} of the time`)
}
/** Nobody waits for credit and no stage is full: the sources make no more. */
function idle(graph, measurements, now, options) {
  const sources = graph.nodes.filter(({ kind }) => kind === 'source').map(({ id }) => id)
  const counts = new Map(Object.entries(measurements.nodes))
  const made = sources.reduce((sum, id) => sum + (counts.get(id)?.in ?? 0), 0) / measurements.seconds
  const most = maxRate(now, options).together.throughput
  const room = Number.isFinite(most) ? `; the stages could take ${rate(most)}` : ''
  return {
    bottleneck: sources[0],
    sentence: `No stage is short of time: the sources make ${rate(made)}${room}`,
    because: [],
    remedy: 'Nothing in the graph needs to be faster: more comes through when more is made.',
  }
}
/** The fewest workers with which something else limits the pipeline, and the rate that gives. */
function remedyFor(graph, { node, busy, limited }, options) {
  const name = quote(node)
  if (limited > busy) return `Raise \`rateLimit\` of ${name}.`
  const workers = graph.nodes.find(({ id }) => id === node)?.concurrency ?? 1
  const limit = (changes) => {
    const { after } = whatIf(graph, { nodes: { [node]: changes } }, options)
    return { into: after.nodes.find(({ id }) => id === node)?.in ?? 0, next: after.bottleneck }
  }
  const now = limit({})
  if (now.into === 0) return `No records come to ${name}.`
  const wanted = limit({ latencyMs: 0 }).into
  const needed = Number.isFinite(wanted) ? Math.ceil((wanted / now.into) * workers * (1 - 1e-9)) : workers + 1
  const proposed = Math.min(MOST_WORKERS, Math.max(workers + 1, needed))
  const then = limit({ concurrency: proposed })
  if (then.into <= now.into * WORTH) {
    const cores = then.next?.by === 'cores' ? ', because all cores are busy' : ''
    return `More workers do not help${cores}: make the handler of ${name} faster.`
  }
  const next = then.next?.node === undefined || then.next.node === node ? '' : `; then ${quote(then.next.node)} limits`
  return `${proposed} workers would lift the limit from ${rate(now.into)} to ${rate(then.into)}${next}.`
}
function percent(share) {
  return `${Math.round(share * 100)} %`
}
function rate(value) {
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} records/s`
}
