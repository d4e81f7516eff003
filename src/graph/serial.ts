/**
 * Which of the graphs that a module makes a graph is. Every call of the builder makes one, so the serial is the same in each
 * thread that evaluates the module alike, and a graph that a function has made later has another one.
 */
const serials = new WeakMap<object, number>()
const counts = new Map<string, number>()

/** Gives a graph its serial. */
export function number(graph: object, module: string): void {
  const serial = madeBy(module) + 1
  counts.set(module, serial)
  serials.set(graph, serial)
}

/** A graph's serial within its module, from 1; undefined of what this copy of the library has not made. */
export function serialOf(graph: object): number | undefined {
  return serials.get(graph)
}

/** How many graphs a module has made in this thread. */
export function madeBy(module: string): number {
  return counts.get(module) ?? 0
}
