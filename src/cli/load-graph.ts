import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Measurements } from '../analysis/types.ts'
import { MillraceError } from '../errors.ts'
import { graphFromJson } from '../analysis/graph-from-json.ts'
import type { GraphData, GraphMaker } from '../graph/types.ts'
import { RUN_OPTIONS } from '../options/index.ts'
import { graphOf, isGraph, searchModule } from '../worker/thread/find-graph.ts'
import { importModule } from '../worker/thread/load.ts'
import { positiveOf, textOf, UsageError, type Call, type CommandOption, type Values } from './command.ts'

/** A module may take as long as the workers that load it again. */
const LOAD_SECONDS = RUN_OPTIONS.startDeadlineMs.default / 1_000

/** Options of every command that takes a graph. */
export const GRAPH_OPTIONS = {
  graph: {
    type: 'string',
    value: 'NAME',
    text: 'Which graph, if the module exports several: its export or its name.',
  },
  params: {
    type: 'string',
    value: 'JSON',
    text: 'Params for handlers (`context.params`), and for a function that makes the graph.',
  },
  'load-seconds': {
    type: 'string',
    value: 'S',
    text: `How long a module may take to load. Default: ${LOAD_SECONDS}.`,
  },
  json: { type: 'boolean', text: 'Prints one JSON document. Figures without a limit are null.' },
  strict: { type: 'boolean', text: 'Exit code 1 on warnings too.' },
} as const satisfies Readonly<Record<string, CommandOption>>

/** What a command runs: a graph, or the function that makes it; and the graph itself. */
export interface Loaded {
  readonly given: GraphData | GraphMaker
  readonly params: unknown
  readonly graph: GraphData
}

/**
 * The graph that a command names.
 * @throws UsageError, FILE_NOT_READ, GRAPH_JSON_INVALID, MODULE_NOT_LOADED, GRAPH_NOT_EXPORTED
 */
export async function loadGraph(call: Call): Promise<GraphData> {
  return (await loadGiven(call)).graph
}

/** The same, as `run` takes it. @throws what `loadGraph` throws */
export async function loadGiven({ positionals, values }: Call): Promise<Loaded> {
  const [file, ...more] = positionals
  if (file === undefined) throw new UsageError('Name a graph: a module or a JSON file.')
  if (more.length > 0) throw new UsageError(`Name one graph only, not also ${JSON.stringify(more[0])}.`)
  return load(file, values)
}

/**
 * The graph of a file: the one with this name or export, where it has several.
 * @throws UsageError, FILE_NOT_READ, GRAPH_JSON_INVALID, MODULE_NOT_LOADED, GRAPH_NOT_EXPORTED
 */
export async function loadFile(file: string, values: Values): Promise<GraphData> {
  return (await load(file, values)).graph
}

async function load(file: string, values: Values): Promise<Loaded> {
  const seconds = positiveOf(values, 'load-seconds') ?? LOAD_SECONDS
  const params = paramsOf(values)
  if (file.endsWith('.json')) {
    const graph = graphFromJson(await read(file))
    return { given: graph, params, graph }
  }
  await checkFile(file)
  const wanted = textOf(values, 'graph')
  const loading = importModule(pathToFileURL(resolve(file)).href, 'auto')
  // A module that runs its graph itself hands it over, and needs not export it.
  const found = await settled(
    searchModule<GraphData | GraphMaker>(
      loading,
      (exports) => pick(exports, file, wanted, params !== undefined),
      (given) => (wanted === undefined || given.name === wanted ? given : undefined),
      0,
    ),
    file,
    seconds,
  )
  if (found === undefined)
    throw new MillraceError('GRAPH_NOT_EXPORTED', { module: file, ...(wanted && { graph: wanted }) })
  if (typeof found !== 'function') return { given: found, params, graph: found }
  if (found.length > 0 && params === undefined)
    throw new UsageError(`${found.name} of ${file} makes the graph from params: pass them with --params JSON.`)
  return { given: found, params, graph: graphOf(found, params) }
}

/** @throws UsageError */
function paramsOf(values: Values): unknown {
  const text = textOf(values, 'params')
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`--params takes JSON: ${String(error)}.`)
  }
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
    fail(`its top-level \`await\` has not ended after ${seconds} s; --load-seconds gives it more time`),
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

/** What Node says of a module that is not there names the file twice. @throws FILE_NOT_READ */
async function checkFile(file: string): Promise<void> {
  const reason = await stat(file).then(
    (found) => (found.isDirectory() ? 'it is a folder, not a module' : undefined),
    (error: unknown) => String(error),
  )
  if (reason !== undefined) throw new MillraceError('FILE_NOT_READ', { file, reason })
}

async function read(file: string): Promise<string> {
  try {
    return new TextDecoder().decode(await readFile(file))
  } catch (cause) {
    throw new MillraceError('FILE_NOT_READ', { file, reason: String(cause) }, { cause })
  }
}

/**
 * The graph by export or name, or the function that makes it by export; without one, the default export, or the only graph there
 * is, or, with params, the only function. Undefined where nothing is exported that could be one.
 */
function pick(
  exports: Readonly<Record<string, unknown>>,
  module: string,
  wanted: string | undefined,
  hasParams: boolean,
): GraphData | GraphMaker | undefined {
  const entries = Object.entries(exports)
  const graphs = entries.filter((entry): entry is [string, GraphData] => isGraph(entry[1]))
  const makers = entries.filter((entry): entry is [string, GraphMaker] => typeof entry[1] === 'function')
  const named = (name: string): GraphData | GraphMaker | undefined =>
    [...graphs, ...makers].find(([key]) => key === name)?.[1]
  const only = graphs.length > 0 || !hasParams ? graphs : makers
  const found =
    wanted === undefined
      ? (named('default') ?? (only.length === 1 ? only[0]![1] : undefined))
      : (named(wanted) ?? graphs.find(([, graph]) => graph.name === wanted)?.[1])
  if (found !== undefined) return found
  const exported = [...graphs.map(([key, graph]) => `${key} (${graph.name})`), ...makers.map(([key]) => `${key}()`)]
  if (graphs.length > 1 && wanted === undefined) {
    throw new UsageError(`${module} exports several graphs: choose one of ${exported.join(', ')} with --graph.`)
  }
  if (exported.length === 0) return undefined
  throw new MillraceError('GRAPH_NOT_EXPORTED', {
    module,
    ...(wanted === undefined ? {} : { graph: wanted }),
    exported,
  })
}
