/**
 * Which of the graphs that a module makes a graph is. Every call of the builder makes one, so the serial is the same in each
 * thread that evaluates the module alike, and a graph that a function has made later has another one.
 */
interface Serials {
  readonly of: WeakMap<object, number>
  readonly counts: Map<string, number>
  /** A graph that this thread waits for, by its module and serial; and the graph itself once it is made. */
  wanted?: { readonly key: string; readonly serial: number; graph?: object }
}

/** Loaders of TypeScript may load this library a second time into a thread: all copies count together. */
const shared = globalThis as { [SERIALS]?: Serials }
const SERIALS = Symbol.for('millrace.serials')
const serials = (shared[SERIALS] ??= { of: new WeakMap(), counts: new Map() })

/** Loaders give a module that they load in a worker a query of their own. Graphs without a module count together. */
const keyOf = (module = ''): string => module.replace(/[?#].*/s, '')

/** Gives a graph its serial. */
export function number(graph: object, module: string | undefined): void {
  const key = keyOf(module)
  const serial = (serials.counts.get(key) ?? 0) + 1
  serials.counts.set(key, serial)
  serials.of.set(graph, serial)
  const { wanted } = serials
  if (wanted?.serial === serial && wanted.key === key) wanted.graph = graph
}

/** A graph's serial within its module, from 1; undefined of what is no graph of this thread. */
export function serialOf(graph: object): number | undefined {
  return serials.of.get(graph)
}

/** How many graphs a module has made in this thread. */
export function madeBy(module: string): number {
  return serials.counts.get(keyOf(module)) ?? 0
}

/** From now on keeps the graph of a module that gets this serial. */
export function lookOutFor(module: string | undefined, serial: number | undefined): void {
  if (serial !== undefined) serials.wanted ??= { key: keyOf(module), serial }
}

/** The graph that was looked out for, once it is made. */
export function seenGraph(): object | undefined {
  return serials.wanted?.graph
}
