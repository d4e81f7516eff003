import { isHop, graphParts } from '../analysis/parts.ts'
import { simulate } from '../analysis/flow/simulate.ts'
import type { GraphData, Technology, Via } from '../graph/types.ts'
import { resolveNode } from '../graph/resolve.ts'
import { VIA_OPTIONS } from '../options/index.ts'
import { plan } from '../plan/plan.ts'

/** What a deployment is to be made of, beside the graph. */
export interface DeployOptions {
  readonly image: string
  readonly file: string
  /** Instances of a part that may be started for its lag. */
  readonly most: number
  /** Parameters of the graph, as JSON. */
  readonly params: string | undefined
}

/** One part as a service. */
export interface PartService {
  /** A DNS label. */
  readonly name: string
  readonly part: string
  /** Instances that the declared rates need; one where nothing is declared. */
  readonly instances: number
  /** All that it makes comes out of queues: instances share the work. */
  readonly isShared: boolean
  /** Messages that wait for each instance before another one is started: what it takes in some seconds. */
  readonly lagPerInstance: number
  readonly cores: number
  readonly memoryMb: number
  /** Queues that it reads. */
  readonly queues: readonly Via[]
  readonly technologies: readonly Technology[]
}

/** Of the time of a stage that instances have. */
const BUSY = 0.7
/** Of a process without workers, and of each worker with its heap, in MB: docs/scaling.md says how they were measured. */
const PROCESS_MB = 80
const WORKER_MB = 64
const LEAST_CORES = 0.25
const LAG = 1_000
const LAG_SECONDS = 5
/** Where the control API listens in a container. */
export const API_PORT = 4480
/** The time that a drain has, and what a container gets beyond it. */
const DRAIN_SECONDS = 30
export const GRACE_SECONDS: number = DRAIN_SECONDS + 10

/** The parts of a graph, sized by the predictions for it. @throws LOOP_TOO_LARGE, PLAN_TOO_LARGE */
export function partServices(graph: GraphData): readonly PartService[] {
  const flow = simulate(graph)
  const hops = new Map(graph.nodes.filter(isHop).map((node) => [node.id, node.via]))
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]))
  const names = new Set<string>()
  const parts = graphParts(graph)
  return parts.map(({ name, nodes: members, reads, writes }) => {
    const planned = plan(graph, parts.length > 1 ? { part: name } : {})
    const isShared = reads.length > 0 && members.every((id) => nodes.get(id)!.kind !== 'source')
    const instances = isShared ? Math.max(1, ...reads.map((buffer) => instancesFor(flow, buffer))) : 1
    const predicted = flow.parts.find(({ id }) => id === name)
    const cores = members.reduce((sum, id) => sum + coresOf(graph, id, flow), 0) / instances
    return {
      name: unique(label(name), names),
      part: name,
      instances,
      isShared,
      lagPerInstance: Math.min(LAG, ...reads.map((buffer) => lagFor(flow, buffer))),
      cores: Math.max(LEAST_CORES, Math.ceil(Math.max(cores, (predicted?.cores ?? 0) / instances) * 4) / 4),
      memoryMb: Math.ceil(
        PROCESS_MB + planned.workers.length * WORKER_MB + (planned.memoryBytes + maxRecords(planned)) / 2 ** 20,
      ),
      queues: reads.map((id) => hops.get(id)!),
      technologies: [...new Set([...reads, ...writes].map((id) => hops.get(id)!.technology))],
    }
  })
}

type Flow = ReturnType<typeof simulate>

/** Instances that take what is offered to a buffer. */
function instancesFor(flow: Flow, buffer: string): number {
  const found = flow.buffers.find(({ node }) => node === buffer)
  if (found === undefined || !Number.isFinite(found.offered) || !Number.isFinite(found.drainRate)) return 1
  return found.drainRate === 0 ? 1 : Math.ceil(found.offered / (found.drainRate * BUSY) - 1e-9)
}

/** What one instance takes of a buffer in `LAG_SECONDS`. */
function lagFor(flow: Flow, buffer: string): number {
  const drainRate = flow.buffers.find(({ node }) => node === buffer)?.drainRate ?? Infinity
  return Math.max(1, Math.round(drainRate * LAG_SECONDS))
}

/** Cores that a node keeps busy: where its handler computes. */
function coresOf(graph: GraphData, id: string, flow: Flow): number {
  const node = resolveNode(graph.nodes.find((each) => each.id === id)!)
  const found = flow.nodes.find((each) => each.id === id)
  return node.cpu && found !== undefined ? found.utilisation * node.workers : 0
}

/** Room for one largest record is reserved beside each worker, and taken only where records are as large. */
function maxRecords({ maxRecordBytes }: { readonly maxRecordBytes: number }): number {
  return Math.min(maxRecordBytes, 2 ** 20)
}

function label(name: string): string {
  const text = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 50)
  return text === '' || /^\d/.test(text) ? `part-${text}`.replace(/-$/, '') : text
}

function unique(name: string, taken: Set<string>): string {
  let found = name
  for (let number = 2; taken.has(found); number++) found = `${name}-${number}`
  taken.add(found)
  return found
}

/** The variable by which a graph is told where its broker is, and what it says where nothing else does. */
export const ADDRESSES: Readonly<Record<Technology, { readonly variable: string; readonly option: string }>> = {
  nats: { variable: 'NATS_URL', option: 'servers' },
  redis: { variable: 'REDIS_URL', option: 'url' },
  rabbitmq: { variable: 'AMQP_URL', option: 'url' },
  postgres: { variable: 'DATABASE_URL', option: 'url' },
}

/** The command of a part: what a container runs. */
export function commandOf({ part }: PartService, { file, params }: DeployOptions, isOnly: boolean): readonly string[] {
  return [
    'npx',
    'millrace',
    'run',
    file,
    ...(isOnly ? [] : ['--part', part]),
    '--host',
    '0.0.0.0',
    '--port',
    String(API_PORT),
    ...(params === undefined ? [] : ['--params', params]),
  ]
}

/** A name of the broker's queue. */
export function queueOf(via: Via): string {
  const { queue } = VIA_OPTIONS[via.technology]
  return String(via[queue.at(-1)!])
}
