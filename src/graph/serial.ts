/**
 * Which of the graphs that a module makes a graph is. Every call of the builder makes one, so the serial is the same in each
 * thread that evaluates the module alike, and a graph that a function has made later has another one.
 */
const serials = new WeakMap<object, number>()
const counts = new Map<string, number>()

/** A graph that this thread waits for, by its module and serial; and the graph itself once it is made. */
let wanted: { readonly key: string; readonly serial: number; graph?: object } | undefined

/** Graphs without a module count together. */
const keyOf = (module: string | undefined): string => module ?? ''

/** Gives a graph its serial. */
export function number(graph: object, module: string | undefined): void {
  const key = keyOf(module)
  const serial = (counts.get(key) ?? 0) + 1
  counts.set(key, serial)
  serials.set(graph, serial)
  if (wanted?.serial === serial && wanted.key === key) wanted.graph = graph
}

/** A graph's serial within its module, from 1; undefined of what this copy of the library has not made. */
export function serialOf(graph: object): number | undefined {
  return serials.get(graph)
}

/** How many graphs a module has made in this thread. */
export function madeBy(module: string): number {
  return counts.get(module) ?? 0
}

/** From now on keeps the graph of a module that gets this serial. */
export function lookOutFor(module: string | undefined, serial: number | undefined): void {
  if (serial !== undefined) wanted ??= { key: keyOf(module), serial }
}

/** The graph that was looked out for, once it is made. */
export function seenGraph(): object | undefined {
  return wanted?.graph
}
