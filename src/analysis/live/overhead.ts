import { isStage } from '../../graph/resolve.ts'
import type { GraphData } from '../../graph/types.ts'
import { servicesOf } from '../flow/service.ts'
import { sharesOf } from '../flow/shares.ts'
import type { Measurements } from '../types.ts'
import { measuredOf } from './measured.ts'

/** Of fewer records than this nothing is said. */
const LEAST_RECORDS = 10

/**
 * What one record takes each stage that waits besides the time that it declares, in ms: taking it from its lane, handing it on.
 * It is the option `overheadMs` of all predictions. Stages that burn are left out: what they take longer, they wait for a core.
 * Meant for rehearsals, whose handlers take what is declared. Linear.
 */
export function overheadOf(graph: GraphData, measurements: Measurements): Readonly<Record<string, number>> {
  const measured = measuredOf(graph, measurements)
  const services = servicesOf(measured.graph, sharesOf(measured.graph))
  const found = graph.nodes.flatMap((node, number): [string, number][] => {
    const counts = measured.node(number)
    const isLeftOut = !isStage(node.kind) || node.kind === 'source' || node.cpu === true
    if (isLeftOut || counts === undefined || counts.in < LEAST_RECORDS) return []
    const { workers, busy, starved, blocked, limited } = counts
    const { workerMs, servers } = services[number]!
    const calls = servers / workers
    const taken = calls > 1 ? 1 - starved - blocked - limited : busy
    const eachMs = (taken * workers * measurements.seconds * 1_000) / counts.in
    // Where calls overlap, only a worker that has no time left tells what it takes.
    if (calls > 1 && taken < 0.99) return []
    return [[node.id, Math.max(0, eachMs * calls - workerMs)]]
  })
  return Object.fromEntries(found)
}
