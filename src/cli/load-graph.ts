import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Measurements } from '../analysis/types.ts'
import { MillraceError } from '../errors.ts'
import { graphFromJson } from '../analysis/graph-from-json.ts'
import type { GraphData } from '../graph/types.ts'
import { RUN_OPTIONS } from '../options.ts'
import { isGraph } from '../worker/find-graph.ts'
import { importModule } from '../worker/load.ts'
import { positiveOf, textOf, UsageError, type Call, type CommandOption, type Values } from './command.ts'

/** A module may take as long as the workers that load it again. */
const LOAD_SECONDS = RUN_OPTIONS.startDeadlineMs.default / 1_000

/** Options of every command that takes a graph. */
export const GRAPH_OPTIONS = {
  graph: {
    type: 'string',
    value: 'NAME',
    text: 'Which graph, where the module exports several: its export or its name.',
  },
  'load-seconds': {
    type: 'string',
    value: 'S',
    text: `How long a module may take to load. Default: ${LOAD_SECONDS}.`,
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
  return loadFile(file, values)
}

/**
 * The graph of a file: the one with this name or export, where it has several.
 * @throws UsageError, FILE_NOT_READ, GRAPH_JSON_INVALID, MODULE_NOT_LOADED, GRAPH_NOT_EXPORTED
 */
export async function loadFile(file: string, values: Values): Promise<GraphData> {
  const seconds = positiveOf(values, 'load-seconds') ?? LOAD_SECONDS
  if (file.endsWith('.json')) return graphFromJson(await read(file))
  const loading = importModule(pathToFileURL(resolve(file)).href, 'auto')
  return pick(await settled(loading, file, seconds), file, textOf(values, 'graph'))
}

/**
 * A module may wait for something that never comes. Where nothing else is left to happen, that is said at once; where a timer
 * or a connection is open, after so many seconds.
 */
async function settled<T>(loading: Promise<T>, module: string, seconds: number): Promise<T> {
  const over = new AbortController()
  const fail = (reason: string): never => {
    throw new MillraceError('MODULE_NOT_LOADED', { module, reason })
  }
  const idle = once(process, 'beforeExit', { signal: over.signal }).then(() => fail('its top-level `await` never ends'))
  const late = sleep(seconds * 1_000, undefined, { signal: over.signal, ref: false }).then(() =>
    fail(`its top-level \`await\` has not ended after ${seconds} s; --load-seconds gives it longer`),
  )
  try {
    return await Promise.race([loading, idle, late])
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
    return new TextDecoder().decode(await readFile(file))
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
