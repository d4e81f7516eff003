import { shown } from './shown.ts'

/** What a message says of one detail; `detail` itself has all of it. */
const DETAIL_BYTES = 16_384

/** One failure's fixed text, and what to do about it. */
export interface ErrorEntry {
  readonly text: string
  readonly fix: string
}

/**
 * Every failure that this library reports. A code is never renamed and never reused.
 * `docs/errors.md` is printed from this table.
 */
export const ERROR_CODES = {
  GRAPH_INVALID: {
    text: 'The graph has problems.',
    fix: 'Each entry of `problems` names the node, edge or option, a code and a way out.',
  },
  GRAPH_JSON_INVALID: {
    text: 'This is not a graph in JSON.',
    fix: 'A graph is `{ name, nodes: [{ id, kind, … }], edges: [{ from, to, … }], clusters: [{ id, … }] }`.',
  },
  EDGE_UNKNOWN: {
    text: 'The graph has no such edge.',
    fix: 'Name an edge by its index in `graph.edges`.',
  },
  OPTIONS_INVALID: {
    text: 'The options have problems.',
    fix: 'Each entry of `problems` names the option and a way out.',
  },
  PLAN_TOO_LARGE: {
    text: 'The plan needs more than a process can have.',
    fix: 'Lower `concurrency`, `laneBytes`, `stashBytes` or `window`, or split the graph.',
  },
  START_FAILED: {
    text: 'A worker could not be made ready, so the pipeline was not started. Of a successor, a failed `setup` is a death like others.',
    fix: 'Mend what `cause` says: the module could not be loaded, a handler is missing, or `setup` failed.',
  },
  START_TIMEOUT: {
    text: 'Not all workers were ready in time, so the pipeline was not started.',
    fix: 'Look at the `setup` of the nodes that are named, or raise `startDeadlineMs`.',
  },
  WORKER_DIED: {
    text: 'The thread of a worker ended.',
    fix: 'The `cause` says why; the record that was in hand is called again with `attempt` raised.',
  },
  RESTARTS_EXHAUSTED: {
    text: 'The workers of a stage died too often, so the pipeline was stopped.',
    fix: 'Look at `history` and `cause`; `restart` says how many deaths are allowed within which time.',
  },
  STAGE_POISONED: {
    text: 'Too many of the records that a stage had in hand killed its worker, so the pipeline was stopped.',
    fix: 'Look at `history` and `cause`: it is the handler that ends its thread, and not single records. `restart.maxPoison` says which share of the last 20 records may kill.',
  },
  PIPELINE_NOT_RUNNING: {
    text: 'The pipeline takes no records any more.',
    fix: 'Push before `drain` or `stop` is called, and before the pipeline has finished.',
  },
  NODE_NOT_PUSHED: {
    text: 'Records cannot be pushed into this node.',
    fix: 'Name a source that was given `push: true`.',
  },
  NODE_NOT_OUTPUT: {
    text: 'The records of this node cannot be read.',
    fix: 'Name a sink without `write`, and read it once only.',
  },
  NODE_NOT_SOURCE: {
    text: 'This node is not a source.',
    fix: 'Name a source: only sources can be paused or limited; the others follow them.',
  },
  WORKER_UNKNOWN: {
    text: 'The stage has no such worker.',
    fix: 'Workers of a stage are counted from 0 to `concurrency` - 1; stages in the embedding thread have none to restart.',
  },
  RECORD_FAILED: {
    text: 'A pushed record failed.',
    fix: 'The events `record.failed`, `record.deadLettered` and `record.dropped` say where and why.',
  },
  RECORD_ABANDONED: {
    text: 'The pipeline ended before all that came of a pushed record was done.',
    fix: 'Drain before you stop, or give `drain` a longer deadline. Some of the work may be done: push the record again only where that does no harm.',
  },
  CALL_UNANSWERED: {
    text: 'A call ended without an answer.',
    fix: 'Nothing that came of the record reached an output: it was filtered, batched away, or written by a sink.',
  },
  RECORD_NOT_ENCODABLE: {
    text: 'A record cannot be sent to another thread.',
    fix: 'Send plain data: what `structuredClone` takes, without functions, symbols and host objects. `json` takes no cycles.',
  },
  RECORD_TOO_DEEP: {
    text: 'A record is nested more than 500 levels deep.',
    fix: 'Send a flat form of it: a list of nodes that name each other, in place of nodes within nodes.',
  },
  RECORD_TOO_LARGE: {
    text: 'A record is larger than `maxRecordBytes`.',
    fix: 'Raise `maxRecordBytes`, or send a reference in place of the content.',
  },
  RECORD_POISONED: {
    text: 'A record was in hand at too many deaths of its worker, and is given up.',
    fix: 'Look at what the handler does with this record; `maxCrashes` says how many deaths are allowed.',
  },
  HANDLER_TIMEOUT: {
    text: 'A call of a handler took longer than `timeoutMs`.',
    fix: 'Let the handler end when `context.signal` aborts, or raise `timeoutMs`.',
  },
  CURSOR_TOO_LARGE: {
    text: 'A cursor is larger than the place that is kept for it.',
    fix: 'Mark records with a small cursor: an offset, a key, a position.',
  },
  RECEIPT_TOO_LARGE: {
    text: 'A receipt is larger than what the stash of its worker can hold.',
    fix: 'Mark records with a small receipt, such as an id or an offset, or raise `stashBytes`.',
  },
  KEY_INVALID: {
    text: 'A key function returned what is no key.',
    fix: 'Return a string, or a number other than NaN, from `partitionBy` and `batch.by`.',
  },
  ROUTE_UNKNOWN: {
    text: 'A record was sent to a branch that no edge carries.',
    fix: 'Connect an edge with that `when`, or return another name.',
  },
  FUSED_HANDLER_ASYNC: {
    text: 'The handler of a fused node returned a promise.',
    fix: 'Make the handler synchronous, or connect the node without `fuse`.',
  },
  HANDLER_RESULT_INVALID: {
    text: 'A handler returned what it may not return.',
    fix: 'Return an iterable from `flatMap`, `mapBatch` and `produce`, true or false from `filter` and `selector`, the name of a branch from `route`, and an array or null from `poll`.',
  },
  HANDLER_MISSING: {
    text: 'A handler that the graph names is not there.',
    fix: 'Give the node its handler, or correct the module or the export that names it.',
  },
  MODULE_MISSING: {
    text: 'The graph has handlers, and workers cannot find them.',
    fix: 'Start the graph with `dataflow(name, import.meta.url)`, in CommonJS `dataflow(name, __filename)`, in the module that exports it.',
  },
  MODULE_NOT_LOADED: {
    text: 'A module could not be loaded.',
    fix: 'Import it by itself (`node FILE`) to see the error. For TypeScript, install tsx or jiti, use a newer Node, or compile it.',
  },
  GRAPH_NOT_EXPORTED: {
    text: 'The module of the graph does not export it.',
    fix: 'Export the finished graph, under any name: `export default dataflow(…)…`, or the named function that makes it of `params`.',
  },
  MAKER_INVALID: {
    text: 'The function that was given to `run` makes no graph that workers could make again.',
    fix: 'Export a named function that returns the finished graph, and run that one: `export function makeGraph(params) { return dataflow(…)… }`, `run(makeGraph, { params })`.',
  },
  GRAPH_DIFFERS: {
    text: 'The graph that was given to `run` is not the one that workers find in its module.',
    fix: 'Run the very graph that the module exports. What differs from run to run goes in as `params`: `run(graph, { params })`, or `run(makeGraph, { params })` where the module exports the function that makes the graph.',
  },
  LANE_DIFFERS: {
    text: 'What a worker knows of a lane is not what the lane was laid out for.',
    fix: 'Build the graph in the same way in every thread. Where its module or this library was changed on the disk since, start the pipeline anew.',
  },
  FILE_NOT_READ: {
    text: 'A file could not be read.',
    fix: 'Look at the path; it is taken from the folder that the command is started in.',
  },
  FILE_NOT_WRITTEN: {
    text: 'A file could not be written.',
    fix: 'Look at the path and at what may be written there; the folder must exist.',
  },
  MEASUREMENTS_INVALID: {
    text: 'These are not measurements in JSON.',
    fix: 'Measurements are `{ seconds, nodes: { ID: { workers, in, … } }, edges: [{ index, records, … }] }`.',
  },
  RUN_WHILE_LOADING: {
    text: '`run` was called for another graph by a module while a worker loaded it for its own.',
    fix: 'A worker takes its own graph from the module, and cannot get past the `run` of another one. Call `run` from another module, or only where `isMainThread` is true.',
  },
  PIPELINE_UNKNOWN: {
    text: 'There is no such pipeline here.',
    fix: 'Name one of those that `GET /pipelines` lists.',
  },
  PIPELINE_STARTING: {
    text: 'The pipeline is still starting.',
    fix: 'Ask again when its workers are ready; `GET /ready` says when.',
  },
  INJECT_OFF: {
    text: 'The pipeline runs without the option `inject`.',
    fix: 'Run it with `inject: true`, or push into a source that was given `push: true`.',
  },
  HISTOGRAM_UNKNOWN: {
    text: 'The stage measures no such thing.',
    fix: '`GET /pipelines/NAME/histograms` lists what each stage measures.',
  },
  DEAD_LETTER_UNKNOWN: {
    text: 'There is no such dead letter.',
    fix: 'It was purged, or newer ones took its place: `deadLetters` and `deadLetterBytes` say how many are kept.',
  },
  DEAD_LETTER_EMPTY: {
    text: 'The dead letter does not hold its record.',
    fix: 'The record could not be sent to the embedding thread, or is larger than `deadLetterBytes`: only its source can make it again.',
  },
  RECEIPT_UNKNOWN: {
    text: 'There is no such pushed record.',
    fix: 'Pushed records are remembered while the API runs: the last 1,000, with keys the last `keptKeys`, replays as long as their letters.',
  },
  KEY_REUSED: {
    text: 'This key was used for another record or another node.',
    fix: 'Push each record with a key of its own, and the same record again with the same key.',
  },
  RECORDS_WAITING: {
    text: 'Too many pushed records wait for credit.',
    fix: 'The pipeline is full: look at `GET /pipelines/NAME/analysis` for what holds it up, and push again later.',
  },
  REQUEST_INVALID: {
    text: 'The request is not as the API expects it.',
    fix: '`GET /openapi.json` says what each address takes.',
  },
  ADDRESS_UNKNOWN: {
    text: 'There is nothing at this address.',
    fix: '`GET /openapi.json` lists all addresses.',
  },
  METHOD_NOT_ALLOWED: {
    text: 'This address does not take that method.',
    fix: 'The header `allow` says which it takes.',
  },
  BODY_TOO_LARGE: {
    text: 'The body of the request is too large.',
    fix: 'Send less, or raise the option `maxBodyBytes` of the control API.',
  },
  BODY_NOT_JSON: {
    text: 'The body of the request is not JSON.',
    fix: 'Send JSON, with the header `content-type: application/json`.',
  },
  HEADERS_TOO_LARGE: {
    text: 'The headers of the request are too large.',
    fix: 'Send fewer or shorter headers.',
  },
  REQUEST_TOO_SLOW: {
    text: 'The request did not come in whole in time.',
    fix: 'Send it at once; an answer may take as long as it likes.',
  },
  TOKEN_MISSING: {
    text: 'This needs a token.',
    fix: 'Send the header `authorization: Bearer TOKEN`.',
  },
  TOKEN_WRONG: {
    text: 'This is not the token.',
    fix: 'Send the token that the control API was started with.',
  },
  ORIGIN_REFUSED: {
    text: 'Another web page may not ask for this.',
    fix: 'Use the page that the API serves itself, or a client that is no browser. Under another name than that of this machine the API needs a `token`, or that name in `hosts`.',
  },
  COMMANDS_TOO_FAST: {
    text: 'Too many commands in a short time.',
    fix: 'Wait as the header `retry-after` says, or raise the option `commandsPerSecond` of the control API.',
  },
  SUBSCRIBERS_TOO_MANY: {
    text: 'Too many subscribers follow the events.',
    fix: 'Close some, or raise the option `maxSubscribers` of the control API.',
  },
  ADDRESS_NEEDS_TOKEN: {
    text: 'The control API would be open to other machines.',
    fix: 'Give it a `token`, or let it listen at 127.0.0.1.',
  },
  CONTROL_NOT_LISTENING: {
    text: 'The control API could not listen.',
    fix: 'Choose another port (0: any that is free), or an address of this machine.',
  },
  CONTROL_NOT_INSTALLED: {
    text: 'The control API needs packages that are not installed.',
    fix: 'Install them: `npm install fastify typebox`.',
  },
  MCP_NOT_INSTALLED: {
    text: '`millrace mcp` needs a package that is not installed.',
    fix: 'Install it: `npm install @modelcontextprotocol/sdk`.',
  },
  CONTROL_UNREACHABLE: {
    text: 'The control API does not answer as one.',
    fix: 'Look at the address, the token, and whether the pipeline still runs.',
  },
  TRACE_STORE_NOT_INSTALLED: {
    text: 'A store of traces needs a package that is not installed.',
    fix: 'Install it: `npm install postgres`, or for SQLite before Node 22.5 `npm install better-sqlite3@12`. A folder needs nothing.',
  },
  TRACE_STORE_UNUSABLE: {
    text: 'A store of traces cannot be used.',
    fix: 'The reason says why: look at the path or address, at the rights, and whether the server runs.',
  },
  TRACE_UNKNOWN: {
    text: 'No event tells of this.',
    fix: 'It was not traced, or retention has taken it: `millrace trace list` shows what there is.',
  },
  INTERNAL: {
    text: 'Something that cannot be has happened.',
    fix: 'This is a fault of Millrace: please report it, with the detail and the plan.',
  },
  LOOP_TOO_LARGE: {
    text: 'A loop has too many crossing edges for its traffic to be computed.',
    fix: 'Analyse a part of the graph, or collapse the loop into fewer nodes.',
  },
  NODE_UNKNOWN: {
    text: 'The graph has no such node.',
    fix: 'Name a node by its id, as the graph spells it.',
  },
  THEME_UNKNOWN: {
    text: 'There is no such theme.',
    fix: 'Use default, dark, warm, forest, ocean or minimal, or give a theme of your own, made with `theme`.',
  },
  VIEW_INVALID: {
    text: 'A view asks for what it cannot show.',
    fix: 'Zoom to level 0, 1 or 2; focus with a radius of 0 or more; collapse a cluster that holds nodes.',
  },
  SVG_RENDERER_MISSING: {
    text: 'SVG is drawn by @viz-js/viz, which is not installed.',
    fix: 'Install it: `npm install @viz-js/viz`. DOT and Mermaid need nothing.',
  },
  SVG_NOT_DRAWN: {
    text: 'Graphviz could not draw the graph.',
    fix: 'The reason names the attribute; look at `shape`, `style` and `image` of nodes, and at the theme.',
  },
} as const satisfies Record<string, ErrorEntry>

/** The code of a failure. */
export type ErrorCode = keyof typeof ERROR_CODES

/** Where and why: ids, values and limits. Plain data, so that it crosses threads. */
export type ErrorDetail = Readonly<Record<string, unknown>>

/** The one class of all failures; `code` says which, `detail` where and why, `fix` what to do. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  readonly code: ErrorCode
  readonly detail: ErrorDetail

  constructor(code: ErrorCode, detail: ErrorDetail = {}, options?: ErrorOptions) {
    super(messageOf(code, detail), options)
    this.code = code
    this.detail = detail
  }

  get fix(): string {
    return ERROR_CODES[this.code].fix
  }
}

/** Whether an error is of this class. Anything may be thrown, and some objects refuse to be looked at. */
export function isMillraceError(error: unknown): error is MillraceError {
  try {
    return error instanceof MillraceError
  } catch {
    return false
  }
}

/** Problems get a line each, with a way out of its own. */
function messageOf(code: ErrorCode, { problems, ...where }: ErrorDetail): string {
  const { text, fix } = ERROR_CODES[code]
  const places = Object.entries(where).map(([key, value]) => `${key}: ${textOf(value)}`)
  const head = `${code}: ${text}${places.length === 0 ? '' : ` (${places.join(', ')})`}`
  return isProblems(problems) ? [head, ...problems.map(lineOf)].join('\n') : `${head} ${fix}`
}

interface ProblemText {
  readonly code: string
  readonly message: string
  readonly fix: string
}

function lineOf({ code, message, fix }: ProblemText): string {
  return `  ${code}: ${message} ${fix}`
}

function isProblems(value: unknown): value is readonly ProblemText[] {
  return Array.isArray(value) && value.length > 0
}

function textOf(value: unknown): string {
  if (value === undefined) return 'undefined'
  const plain = shown(value, { bytes: DETAIL_BYTES })
  return typeof plain === 'string' ? plain : JSON.stringify(plain)
}

/** A value as text, whatever it is: some objects refuse to be one. */
export function inWords(value: unknown): string {
  try {
    return String(value)
  } catch {
    return className(value)
  }
}

function className(value: unknown): string {
  try {
    return Object.prototype.toString.call(value)
  } catch {
    return 'an object'
  }
}

/** What an error says of itself. Anything may be thrown, and some objects refuse to be looked at. */
export function errorText(error: unknown): ErrorData & { readonly code?: string } {
  try {
    if (typeof error !== 'object' || error === null) return { name: 'Error', message: inWords(error) }
    const code: unknown = Reflect.get(error, 'code')
    const coded = typeof code === 'string' ? { code } : {}
    if (!(error instanceof Error)) return { name: 'Error', message: inWords(error), ...coded }
    const { name, message, stack } = error
    const traced = typeof stack === 'string' ? { stack } : {}
    return { name: inWords(name), message: inWords(message), ...traced, ...coded }
  } catch {
    return { name: 'Error', message: 'what was thrown cannot be read' }
  }
}

/** An error as data: as it crosses threads and stands in events, letters and answers, where class and `cause` would be lost. */
export interface ErrorData {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly code?: string | undefined
  readonly detail?: ErrorDetail | undefined
}

/** The error that such data was made of, again to be thrown. */
export function errorOf({ name, message, stack = '', code, detail }: ErrorData): Error {
  const error = Object.assign(new Error(message), { name, stack })
  return code === undefined ? error : Object.assign(error, { code }, detail === undefined ? {} : { detail })
}
