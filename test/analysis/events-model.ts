/**
 * A graph of stages with one worker each, event by event: lanes that hold so many records, service times that do not vary,
 * retries evenly spread. It gives what a run would have measured, the same each time.
 */
import type { GraphData, Measurements, NodeMeasurement } from 'millrace'

interface Lane {
  readonly to: string
  readonly capacity: number
  queued: number
}

interface Server {
  readonly serviceMs: number
  readonly owed: Map<number, number>
  state: 'busy' | 'starved' | 'blocked'
  since: number
  doneAt: number
  /** The record in hand came over this edge, and these edges are to take what comes of it. */
  from: number | undefined
  waits: number[]
  turn: number
  readonly ms: { busy: number; starved: number; blocked: number }
  readonly blockedOn: Map<number, number>
  done: number
}

/** Runs sources that never run dry, transforms and sinks for so long; lanes hold `maxDemand` records. */
export function played(graph: GraphData, ms: number): Measurements {
  const lanes = graph.edges.map(({ to, maxDemand = 64 }): Lane => ({ to, capacity: maxDemand, queued: 0 }))
  const carried = graph.edges.map(() => 0)
  const servers = new Map(graph.nodes.map((node) => [node.id, newServer(node.latencyMs ?? 0)]))
  const kinds = new Map(graph.nodes.map(({ id, kind }) => [id, kind]))
  const out = new Map(
    graph.nodes.map(({ id }) => [id, graph.edges.flatMap((edge, i) => (edge.from === id ? [i] : []))]),
  )
  const into = new Map(graph.nodes.map(({ id }) => [id, graph.edges.flatMap((edge, i) => (edge.to === id ? [i] : []))]))
  let now = 0

  const enter = (server: Server, state: Server['state']): void => {
    const spent = now - server.since
    server.ms[server.state] += spent
    if (server.state === 'blocked') {
      for (const edge of server.waits)
        server.blockedOn.set(edge, (server.blockedOn.get(edge) ?? 0) + spent / server.waits.length)
    }
    server.state = state
    server.since = now
  }
  /** The edges that take what comes of the next record: the retries by their ratio, else all the others. */
  const route = (id: string, server: Server): number[] => {
    for (const edge of out.get(id)!) {
      const { pathType, ratio = 0 } = graph.edges[edge]!
      if (pathType !== 'retry') continue
      const owed = (server.owed.get(edge) ?? 0) + ratio
      server.owed.set(edge, owed >= 1 - 1e-9 ? owed - 1 : owed)
      if (owed >= 1 - 1e-9) return [edge]
    }
    return out.get(id)!.filter((edge) => graph.edges[edge]!.pathType !== 'retry')
  }
  /** One thing that a server can do now; false where it can do none. */
  const act = (id: string, server: Server): boolean => {
    if (server.state === 'busy') {
      if (server.doneAt > now) return false
      server.waits = route(id, server)
      enter(server, 'blocked')
    }
    if (server.state === 'blocked') {
      const open = server.waits.filter((edge) => lanes[edge]!.queued < lanes[edge]!.capacity)
      if (open.length > 0) enter(server, 'blocked')
      for (const edge of open) {
        lanes[edge]!.queued++
        carried[edge]!++
      }
      server.waits = server.waits.filter((edge) => !open.includes(edge))
      if (server.waits.length > 0) return open.length > 0
      server.done++
      if (server.from !== undefined) lanes[server.from]!.queued--
      server.from = undefined
      enter(server, 'starved')
      return true
    }
    if (kinds.get(id) !== 'source') {
      const inputs = into.get(id)!
      const at = inputs.findIndex((_, i) => lanes[inputs[(server.turn + i) % inputs.length]!]!.queued > 0)
      if (at === -1) return false
      server.from = inputs[(server.turn + at) % inputs.length]!
      server.turn = (server.turn + at + 1) % inputs.length
    }
    enter(server, 'busy')
    server.doneAt = now + server.serviceMs
    return true
  }
  while (now < ms) {
    let moved = true
    while (moved) {
      moved = false
      for (const [id, server] of servers) if (act(id, server)) moved = true
    }
    const times = [...servers.values()].flatMap(({ state, doneAt }) => (state === 'busy' ? [doneAt] : []))
    if (times.length === 0) break
    now = Math.min(ms, ...times)
  }
  for (const server of servers.values()) enter(server, server.state)
  return {
    seconds: now / 1_000,
    nodes: Object.fromEntries(
      [...servers].map(([id, server]) => [id, measurementOf(server, now, carried, out.get(id)!)]),
    ),
    edges: graph.edges.map(({ from }, index) => ({
      index,
      records: carried[index]!,
      dropped: 0,
      queued: lanes[index]!.queued,
      capacity: lanes[index]!.capacity,
      blockedShare: (servers.get(from)!.blockedOn.get(index) ?? 0) / now,
    })),
  }
}

function newServer(serviceMs: number): Server {
  return {
    serviceMs,
    owed: new Map(),
    state: 'starved',
    since: 0,
    doneAt: 0,
    from: undefined,
    waits: [],
    turn: 0,
    ms: { busy: 0, starved: 0, blocked: 0 },
    blockedOn: new Map(),
    done: 0,
  }
}

function measurementOf(
  { ms, done, serviceMs }: Server,
  now: number,
  carried: readonly number[],
  out: readonly number[],
): NodeMeasurement {
  return {
    workers: 1,
    in: done,
    out: out.reduce((sum, edge) => sum + carried[edge]!, 0),
    done,
    filtered: 0,
    failed: 0,
    deadLettered: 0,
    dropped: 0,
    retried: 0,
    inFlight: 0,
    busy: ms.busy / now,
    starved: ms.starved / now,
    blocked: ms.blocked / now,
    limited: 0,
    serviceMs,
    p50Ms: serviceMs,
    p99Ms: serviceMs,
  }
}
