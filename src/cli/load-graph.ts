import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Measurements } from '../analysis/types.ts'
import { MillraceError } from '../errors.ts'
import { graphFromJson } from '../analysis/graph-from-json.ts'
import type { GraphData } from '../graph/types.ts'
import { importModule, isGraph } from '../worker/load.ts'
import { textOf, UsageError, type Call, type CommandOption } from './command.ts'

/** Options of every command that takes a graph. */
export const GRAPH_OPTIONS = {
  graph: {
    type: 'string',
    value: 'NAME',
    text: 'Which graph, where the module exports several: its export or its name.',
  },
  json: { type: 'boolean', text: 'Prints one JSON document. Figures without a limit are null.' },
  strict: { type: 'boolean', text: 'Exit code 1 on warnings too.' },
} as const satisfies Readonly<Record<string, CommandOption>>

/**
 * The graph that a command names.
 * @throws UsageError, FILE_NOT_READ, GRAPH_JSON_INVALID, MODULE_NOT_LOADED, GRAPH_NOT_EXPORTED
 */
export async function loadGraph({ positionals, values }: Call): Promise<GraphData> {
  const [file, ...more] = positionals
  if (file === undefined) throw new UsageError('Say which graph: a module or a JSON file.')
  if (more.length > 0) throw new UsageError(`One graph at a time, not also ${JSON.stringify(more[0])}.`)
  return loadFile(file, textOf(values, 'graph'))
}

/**
 * The graph of a file: the one with this name or export, where it has several.
 * @throws UsageError, FILE_NOT_READ, GRAPH_JSON_INVALID, MODULE_NOT_LOADED, GRAPH_NOT_EXPORTED
 */
export async function loadFile(file: string, wanted: string | undefined): Promise<GraphData> {
  if (file.endsWith('.json')) return graphFromJson(await read(file))
  return pick(await settled(importModule(pathToFileURL(resolve(file)).href, 'auto'), file), file, wanted)
}

/** A module may wait for something that never comes. Where nothing else is left to happen, that is said. */
async function settled<T>(loading: Promise<T>, module: string): Promise<T> {
  const over = new AbortController()
  const idle = once(process, 'beforeExit', { signal: over.signal }).then(() => {
    throw new MillraceError('MODULE_NOT_LOADED', { module, reason: 'its top-level `await` never ends' })
  })
  try {
    return await Promise.race([loading, idle])
  } finally {
    over.abort()
  }
}

/** What `--measurements FILE` names. @throws FILE_NOT_READ, MEASUREMENTS_INVALID */
export async function loadMeasurements({ values }: Call): Promise<Measurements | undefined> {
  const file = textOf(values, 'measurements')
  if (file === undefined) return undefined
  let found: unknown
  try {
    found = JSON.parse(await read(file))
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause
    throw new MillraceError('MEASUREMENTS_INVALID', { file, reason: String(cause) }, { cause })
  }
  if (!isMeasurements(found)) throw new MillraceError('MEASUREMENTS_INVALID', { file })
  return found
}

function isMeasurements(value: unknown): value is Measurements {
  if (typeof value !== 'object' || value === null) return false
  const { seconds, nodes, edges } = value as Partial<Measurements>
  return typeof seconds === 'number' && seconds > 0 && typeof nodes === 'object' && Array.isArray(edges)
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new MillraceError('FILE_NOT_READ', { file, reason: String(cause) }, { cause })
  }
}

/** The graph by export or name; without one, the default export, or the only graph there is. */
function pick(exports: Readonly<Record<string, unknown>>, module: string, wanted: string | undefined): GraphData {
  const graphs = Object.entries(exports).filter((entry): entry is [string, GraphData] => isGraph(entry[1]))
  const found =
    wanted === undefined
      ? (graphs.find(([name]) => name === 'default') ?? (graphs.length === 1 ? graphs[0] : undefined))
      : (graphs.find(([name]) => name === wanted) ?? graphs.find(([, graph]) => graph.name === wanted))
  if (found !== undefined) return found[1]
  const exported = graphs.map(([name, graph]) => `${name} (${graph.name})`)
  if (graphs.length > 1 && wanted === undefined) {
    throw new UsageError(`${module} exports several graphs: choose one of ${exported.join(', ')} with --graph.`)
  }
  throw new MillraceError('GRAPH_NOT_EXPORTED', {
    module,
    ...(wanted === undefined ? {} : { graph: wanted }),
    exported,
  })
}
