import nodeModule from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { madeBy } from '../graph/serial.ts'
import type { GraphData, GraphMaker } from '../graph/types.ts'
import { isGraph } from '../worker/thread/find-graph.ts'
import { importModule } from '../worker/thread/load.ts'

/** A module that has not loaded by then waits for something, perhaps for this very `run`. */
const LOADED_MS = 1_000

/**
 * Whether the graph that was given to `run`, or the function that makes it, is what its module exports: so far as its handlers
 * go, which are all that workers take from there. Asked only where a worker has found what looks like another one.
 * @returns undefined where it cannot be told: the module is not this thread's, or is still loading
 */
export async function isExported(graph: GraphData, maker: GraphMaker | undefined): Promise<boolean | undefined> {
  const exports = graph.module === undefined ? undefined : await loaded(graph.module)
  if (exports === undefined) return undefined
  const values = Object.values(exports)
  if (maker !== undefined) return values.includes(maker)
  return values.some((each) => isGraph(each) && each.name === graph.name && hasHandlersOf(each, graph))
}

/** The exports of a module that this thread has loaded. One that it has not, and which is loaded here, tells nothing. */
async function loaded(module: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const required = module.startsWith('file:') && nodeModule.createRequire(module).cache[fileURLToPath(module)]
  if (required) return required.loaded ? (required.exports as Record<string, unknown>) : undefined
  const before = madeBy(module)
  const importing = importModule(module, 'native').catch(() => undefined)
  const exports = await Promise.race([importing, sleep(LOADED_MS, undefined, { ref: false })])
  return madeBy(module) === before ? exports : undefined
}

/** Whether each function of a graph stands in another one at the same place. */
function hasHandlersOf(found: GraphData, given: GraphData): boolean {
  const nodes = new Map(found.nodes.map((node) => [node.id, node]))
  return (
    given.nodes.every((node) => hasFunctionsOf(nodes.get(node.id), node)) &&
    given.edges.every((edge, i) => hasFunctionsOf(found.edges[i], edge))
  )
}

function hasFunctionsOf(found: object | undefined, given: object): boolean {
  return Object.entries(given).every(([name, value]: [string, unknown]) => {
    const other: unknown = found && Reflect.get(found, name)
    if (typeof value === 'function') return other === value
    if (typeof value !== 'object' || value === null) return true
    return hasFunctionsOf(other ?? {}, value)
  })
}
