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
    fix: 'Each entry of `problems` names the node, edge or option, a code and a fix.',
  },
  GRAPH_JSON_INVALID: {
    text: 'The value is not a graph in JSON.',
    fix: 'Use the form `{ name, nodes: [{ id, kind, … }], edges: [{ from, to, … }], clusters: [{ id, … }] }`.',
  },
  EDGE_UNKNOWN: {
    text: 'The graph has no edge with this index.',
    fix: 'Name an edge by its index in `graph.edges`.',
  },
  OPTIONS_INVALID: {
    text: 'The options have problems.',
    fix: 'Each entry of `problems` names the option and a fix.',
  },
  PLAN_TOO_LARGE: {
    text: 'The plan needs more memory or more source workers than a pipeline can have.',
    fix: 'Lower `concurrency`, `laneBytes`, `stashBytes` or `window`, or split the graph.',
  },
  START_FAILED: {
    text: 'A worker could not start, so the pipeline did not start. If the worker of a running pipeline is replaced, a failed `setup` counts as one more crash.',
    fix: 'Fix the error in `cause`: the module could not be loaded, a handler is missing, or `setup` failed.',
  },
  START_TIMEOUT: {
    text: 'Not all workers were ready in time, so the pipeline did not start.',
    fix: 'Check the `setup` of the named nodes, or raise `startDeadlineMs`.',
  },
  WORKER_DIED: {
    text: 'A worker crashed: its thread ended.',
    fix: 'See `cause` for the reason. The handler is called again with the record that was in progress, and `attempt` is one higher.',
  },
  RESTARTS_EXHAUSTED: {
    text: 'The workers of a stage crashed too often, so the pipeline stopped.',
    fix: '`reason` is that of the last crash; `cause` and `detail.history` have more. The option `restart` sets how many crashes are allowed in which time.',
  },
  STAGE_POISONED: {
    text: 'Too many records of a stage crashed its worker, so the pipeline stopped.',
    fix: '`reason` is that of the last crash; `cause` and `detail.history` have more. The handler itself crashes, not only on single records. `restart.maxPoison` sets the share of the last 20 records that may crash a worker.',
  },
  STAGE_DETACHED: {
    text: 'A record came to a stage that is detached because its workers crashed too often.',
    fix: 'Fix what the event `stage.detached` names as its cause, then call `pipeline.attach`. `restart.exhausted` decides what happens if a stage crashes too often.',
  },
  INLINE_NOT_OVER: {
    text: 'The graph did not come to its end on one thread.',
    fix: '`reason` names the workers and what they wait for. A source that never ends needs `drainAfter`; handlers that wait for servers need `clock: "real"`; a large job may need more `maxSteps`.',
  },
  PIPELINE_NOT_RUNNING: {
    text: 'The pipeline no longer accepts records.',
    fix: 'Push before you call `drain` or `stop`, and before the pipeline finishes.',
  },
  JOURNAL_IN_USE: {
    text: 'Another pipeline uses the directory of the ingress journal.',
    fix: 'Give each pipeline its own `durable.dir`. If the other process runs on another machine or in another container and has crashed, try again after 15 seconds.',
  },
  JOURNAL_CORRUPT: {
    text: 'The ingress journal is damaged: records that were accepted cannot be read. Nothing was skipped, and nothing was changed.',
    fix: 'Restore the directory from a copy, or move it away to start without its records. `docs/durability.md` says how to see what is readable.',
  },
  JOURNAL_VERSION: {
    text: 'The ingress journal was written by another version of Millrace, in a format that this version does not read.',
    fix: 'Run the version that wrote it until nothing is open, or use another `durable.dir`.',
  },
  JOURNAL_DIFFERS: {
    text: 'The ingress journal does not fit the graph.',
    fix: 'See `reason`. Run the graph that the journal belongs to until its records have ended, or use another `durable.dir`.',
  },
  JOURNAL_FULL: {
    text: 'The disk is full, so a record was not accepted.',
    fix: 'Make room, and push the record again. Records that were accepted before are not affected.',
  },
  JOURNAL_FAILED: {
    text: 'The disk of the ingress journal failed, so no record is accepted any more.',
    fix: 'See `reason`. Records in flight go on. Start the pipeline again on a working disk; a record whose push rejected with this error may be delivered then.',
  },
  NODE_NOT_PUSHED: {
    text: 'Records cannot be pushed into this node.',
    fix: 'Name a source with `push: true`.',
  },
  NODE_NOT_OUTPUT: {
    text: 'This node has no records to read.',
    fix: 'Name a sink without `write`, and read it only once.',
  },
  NODE_NOT_SOURCE: {
    text: 'This node is not a source.',
    fix: 'Name a source. Only sources can be paused; the other nodes follow them.',
  },
  WORKER_UNKNOWN: {
    text: 'The stage has no worker with this number.',
    fix: 'Use a number from 0 to `concurrency` - 1. A stage in the thread that called `run` has no worker to restart.',
  },
  PIPELINE_NAME_TAKEN: {
    text: 'The control API shows another pipeline under this name.',
    fix: 'Add the pipeline under another name: `server.add(pipeline, name)`, or as an object by name.',
  },
  RESIZE_REFUSED: {
    text: 'A stage cannot get another number of workers.',
    fix: 'See `reason`. Set `maxConcurrency` on the node, and ask for 1 to `maxConcurrency` workers while the pipeline runs.',
  },
  PROBE_REFUSED: {
    text: 'A stage cannot be probed.',
    fix: 'See `reason`. Probe a stage with threads, one at a time, while sources wait for the pipeline: if none does, nothing limits it.',
  },
  RECORD_FAILED: {
    text: 'A pushed record failed.',
    fix: 'See the events `record.failed`, `record.deadLettered` and `record.dropped` for where and why.',
  },
  RECORD_ABANDONED: {
    text: 'The pipeline ended before a pushed record was fully processed.',
    fix: 'Drain before you stop, or give `drain` a longer deadline. Part of the work may be done: push the record again only if doing the work twice is safe.',
  },
  CALL_UNANSWERED: {
    text: 'A call ended without an answer.',
    fix: 'No result of the record reached an output: it was filtered, merged into a batch, or written by a sink.',
  },
  RECORD_NOT_ENCODABLE: {
    text: 'A record cannot be sent to another thread.',
    fix: 'Send data that `structuredClone` accepts: no functions, symbols or host objects. The codec `json` does not accept cycles.',
  },
  RECORD_TOO_DEEP: {
    text: 'A record is nested more than 500 levels deep.',
    fix: 'Send it in a flat form: a list of nodes that refer to each other by id.',
  },
  RECORD_TOO_LARGE: {
    text: 'A record is larger than `maxRecordBytes`.',
    fix: 'Raise `maxRecordBytes`, or send a reference instead of the content.',
  },
  RECORD_POISONED: {
    text: 'A record crashed its worker too often, so it is not tried again.',
    fix: 'Check what the handler does with this record. The option `maxCrashes` sets how many crashes are allowed.',
  },
  RECORD_NOT_REPEATED: {
    text: 'A worker of a source crashed while it sent a record, and the source did not make the record again.',
    fix: 'Mark the records of `poll` with cursors, or go on at `context.emitted`. If the source takes records from a queue, `ack` gets the record as a failure, and the queue can deliver it again.',
  },
  HANDLER_TIMEOUT: {
    text: 'A handler call took longer than `timeoutMs`.',
    fix: 'End the handler when `context.signal` aborts, or raise `timeoutMs`.',
  },
  ACK_FAILED: {
    text: 'An `ack` handler failed at every attempt, and `ackRetry.exhausted` is `stop`, so the pipeline stopped.',
    fix: 'Fix the error in `cause`. `ackRetry` sets how often a call is tried, and what follows the last one.',
  },
  CURSOR_TOO_LARGE: {
    text: 'A cursor is larger than the memory reserved for it.',
    fix: 'Use a small cursor, such as an offset, a key or a position.',
  },
  RECEIPT_TOO_LARGE: {
    text: 'A receipt is too large for the stash of its worker.',
    fix: 'Use a small receipt, such as an id or an offset, or raise `stashBytes`.',
  },
  NOTE_INVALID: {
    text: 'A handler called `context.note` with a value that is not small plain data.',
    fix: 'Use data that `JSON.stringify` accepts, at most 1,024 bytes of it.',
  },
  META_INVALID: {
    text: 'A source marked a record with `meta` or `expiresAt` that it cannot have.',
    fix: 'Set `metaBytes` of the source: room for `meta` as JSON, in bytes; 0 is enough for `expiresAt`. Use plain data for `meta`, and milliseconds since 1970 for `expiresAt`.',
  },
  RECORD_EXPIRED: {
    text: 'A record came to a handler after its `expiresAt`, so the handler was not called.',
    fix: 'Check what it waited for: the wait times of the stages say where. Set a later `expiresAt` if it is still wanted.',
  },
  RELEASE_REFUSED: {
    text: 'A handler called `context.release`, and a source above acks several records together.',
    fix: 'Set `chunk: 1` on the sources above, or remove it if they have `ack` or `push`.',
  },
  FAIL_INDEX_INVALID: {
    text: 'A handler called `context.failAt` with an index that its batch does not have.',
    fix: 'Use the index of the record in the array that the handler got.',
  },
  KEY_INVALID: {
    text: 'A key function returned an invalid key.',
    fix: 'Return a string, or a number other than NaN, from `partitionBy`, `batch.by`, `rateLimit.by` and `ackBy`.',
  },
  ROUTE_UNKNOWN: {
    text: 'A record was sent to a branch that no edge has.',
    fix: 'Connect an edge with this `when`, or return another name.',
  },
  FUSED_HANDLER_ASYNC: {
    text: 'The handler of a fused node returned a promise.',
    fix: 'Make the handler synchronous, or connect the node without `fuse`.',
  },
  HANDLER_RESULT_INVALID: {
    text: 'A handler returned an invalid value.',
    fix: 'Return an iterable from `flatMap`, `mapBatch`, `produce` and `finish`, one record for each from `mapEach`, one value for each from `preload`, a weight from `batch.weigh`, true or false from `filter` and `selector`, the name of a branch from `route`, and an array or null from `poll`.',
  },
  HANDLER_MISSING: {
    text: 'A handler is missing.',
    fix: 'Give the node its handler, or correct the module or export that the node names.',
  },
  MODULE_MISSING: {
    text: 'The graph has handlers, but workers cannot find them because the graph does not name its module.',
    fix: 'In the module that exports the graph, start it with `dataflow(name, import.meta.url)`, or in CommonJS with `dataflow(name, __filename)`.',
  },
  MODULE_NOT_LOADED: {
    text: 'A module could not be loaded.',
    fix: 'Run it alone (`node FILE`) to see the error. For TypeScript, install tsx or jiti, use a newer Node, or compile it.',
  },
  GRAPH_NOT_EXPORTED: {
    text: 'The module does not export the graph.',
    fix: 'Export the finished graph under any name: `export default dataflow(…)…`. Or export a named function that makes the graph from `params`.',
  },
  MAKER_INVALID: {
    text: 'Workers cannot call the function that was passed to `run`, or it does not return a graph.',
    fix: 'Export a named function that returns the finished graph, and pass it to `run`: `export function makeGraph(params) { return dataflow(…)… }`, `run(makeGraph, { params })`.',
  },
  GRAPH_DIFFERS: {
    text: 'The graph passed to `run` differs from the graph that its module exports.',
    fix: 'Run the graph that the module exports. Pass values that differ from run to run as `params`: `run(graph, { params })`. If the module exports the function that makes the graph, use `run(makeGraph, { params })`.',
  },
  LANE_DIFFERS: {
    text: 'A worker and the plan disagree about a lane.',
    fix: 'Build the graph in the same way in every thread. If its module or Millrace changed on disk since the start, start the pipeline again.',
  },
  FILE_NOT_READ: {
    text: 'A file could not be read.',
    fix: 'Check the path. It is relative to the folder in which the command was started.',
  },
  FILE_NOT_WRITTEN: {
    text: 'A file could not be written.',
    fix: 'Check the path and its permissions. The folder must exist.',
  },
  MEASUREMENTS_INVALID: {
    text: 'The value is not measurements in JSON.',
    fix: 'Use the form `{ seconds, nodes: { ID: { workers, in, … } }, edges: [{ index, records, … }] }`.',
  },
  RUN_WHILE_LOADING: {
    text: 'A module called `run` for another graph while a worker loaded the module.',
    fix: 'A worker imports the module to get its handlers, and must not start another pipeline. Call `run` from another module, or only if `isMainThread` is true.',
  },
  PIPELINE_UNKNOWN: {
    text: 'There is no pipeline with this name.',
    fix: 'Use a name that `GET /pipelines` lists.',
  },
  IMPORT_UNKNOWN: {
    text: 'There is no import with this name, or it has no kind of the name that was given.',
    fix: 'Use names that `GET /imports` lists.',
  },
  PIPELINE_STARTING: {
    text: 'The pipeline is still starting.',
    fix: 'Try again when `GET /ready` reports that its workers are ready.',
  },
  INJECT_OFF: {
    text: 'The pipeline runs without the option `inject`.',
    fix: 'Run it with `inject: true`, or push into a source with `push: true`.',
  },
  HISTOGRAM_UNKNOWN: {
    text: 'The stage has no histogram of this kind.',
    fix: '`GET /pipelines/NAME/histograms` lists the histograms of each stage.',
  },
  DEAD_LETTER_UNKNOWN: {
    text: 'There is no dead letter with this id.',
    fix: 'It was purged, or newer ones replaced it. `deadLetters` and `deadLetterBytes` set how many are kept.',
  },
  DEAD_LETTER_EMPTY: {
    text: 'The dead letter does not contain its record.',
    fix: 'The record could not be sent to the thread that called `run`, or it is larger than `deadLetterBytes`. Only its source can produce it again.',
  },
  RECEIPT_UNKNOWN: {
    text: 'There is no pushed record with this id.',
    fix: 'The API remembers the last 1,000 pushed records, and the last `keptKeys` with a key. It remembers replays as long as their dead letters.',
  },
  KEY_REUSED: {
    text: 'This key was already used for another record or another node.',
    fix: 'Give each record its own key. To push the same record again, use the same key.',
  },
  RECORDS_WAITING: {
    text: 'Too many pushed records are waiting for credit.',
    fix: 'The pipeline is saturated. `GET /pipelines/NAME/analysis` names the bottleneck. Push again later.',
  },
  REQUEST_INVALID: {
    text: 'The request is invalid.',
    fix: 'See `GET /openapi.json` for what each address accepts.',
  },
  ADDRESS_UNKNOWN: {
    text: 'This address does not exist.',
    fix: '`GET /openapi.json` lists all addresses.',
  },
  METHOD_NOT_ALLOWED: {
    text: 'This address does not support this method.',
    fix: 'The header `allow` lists the supported methods.',
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
    text: 'The request did not arrive completely in time.',
    fix: 'Send the whole request at once. The time of the answer is not limited.',
  },
  TOKEN_MISSING: {
    text: 'This request needs a token.',
    fix: 'Send the header `authorization: Bearer TOKEN`.',
  },
  TOKEN_WRONG: {
    text: 'The token is invalid.',
    fix: 'Send the token with which the control API was started.',
  },
  ORIGIN_REFUSED: {
    text: 'Cross-origin request refused.',
    fix: 'Use the page that the API serves, or a client that is not a browser. To reach the API under a name other than this machine’s, set a `token` or add the name to `hosts`.',
  },
  COMMANDS_TOO_FAST: {
    text: 'Too many commands arrived in a short time.',
    fix: 'Wait for the seconds in the header `retry-after`, or raise the option `commandsPerSecond` of the control API.',
  },
  SUBSCRIBERS_TOO_MANY: {
    text: 'Too many subscribers are connected.',
    fix: 'Close some, or raise the option `maxSubscribers` of the control API.',
  },
  ADDRESS_NEEDS_TOKEN: {
    text: 'Without a token, the control API would be open to other machines.',
    fix: 'Set a `token`, or listen on 127.0.0.1.',
  },
  CONTROL_NOT_LISTENING: {
    text: 'The control API could not listen.',
    fix: 'Choose another port (0 means any free port), or an address of this machine.',
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
    text: 'The address does not answer like a Millrace control API.',
    fix: 'Check the address and the token, and that the pipeline is still running.',
  },
  CONNECTOR_NOT_INSTALLED: {
    text: 'A connector needs a package that is not installed.',
    fix: 'Install what `install` names.',
  },
  CONNECTOR_UNREACHABLE: {
    text: 'The server of a connector cannot be reached.',
    fix: 'Check the address, and that the server runs. After the start a connector waits for its server.',
  },
  CONNECTOR_REFUSED: {
    text: 'The server or the file system refuses what a connector asks for.',
    fix: 'The reason says why: check user, password and rights, and that what the options name exists.',
  },
  PART_UNKNOWN: {
    text: 'The graph has no part with this name.',
    fix: 'Use one of the names that the message lists. A part is called like the cluster that holds it, else like its first node.',
  },
  MESSAGE_UNREADABLE: {
    text: 'A message from outside is not what the source expects.',
    fix: 'Check who sends it, or give the source a `decode` that reads it. The dead letter contains the message as it came.',
  },
  MESSAGE_UNDELIVERABLE: {
    text: 'A message was delivered too often, so it is not tried again.',
    fix: 'Check what crashes or fails with it: the dead letter contains the message as it came. `maxDeliveries` sets how many deliveries are allowed.',
  },
  TRACE_STORE_NOT_INSTALLED: {
    text: 'A store of traces or requests needs a package that is not installed.',
    fix: 'Install it: `npm install postgres`, or for SQLite before Node 22.5 `npm install better-sqlite3@12`. A folder needs nothing.',
  },
  TRACE_STORE_UNUSABLE: {
    text: 'A store of traces cannot be used.',
    fix: 'The reason says why: look at the path or address, at the rights, and whether the server runs.',
  },
  TRACE_UNKNOWN: {
    text: 'No event names this trace or record.',
    fix: 'It was not traced, or retention has taken it: `millrace trace list` shows what there is.',
  },
  TRACING_OFF: {
    text: 'The pipeline runs without the option `trace`.',
    fix: 'Run it with `trace: { rate: 0.01 }`, say; what is traced can be changed then while it runs.',
  },
  INTERNAL: {
    text: 'Internal error: an invariant of Millrace was violated.',
    fix: 'This is a bug in Millrace. Please report it with the detail and the plan.',
  },
  FLOW_INVALID: {
    text: 'The flow has problems.',
    fix: 'Each entry of `problems` names the step, a code and a fix.',
  },
  BRANCH_UNKNOWN: {
    text: 'A `when` named a branch that the flow does not have.',
    fix: 'Return one of the names in `branches`, a list of them, or an empty list.',
  },
  BRANCH_NONE: {
    text: 'A `when` named no branch, and `onNone` is `fail`.',
    fix: 'Name a branch, or use `onNone: "continue"`: the request then goes on with the input.',
  },
  ITEMS_INVALID: {
    text: 'The `items` of a `forEach` did not return an iterable.',
    fix: 'Return an array, another iterable, an async iterable, or a promise of one.',
  },
  ITEMS_TOO_MANY: {
    text: 'A `forEach` has more items than it may have.',
    fix: 'Return fewer items, several in one item for example, or raise `maxItems`.',
  },
  ANSWER_TOO_LARGE: {
    text: 'An answer could not wait for the others of its join: there was no room for it.',
    fix: 'Raise `joinBytes` of the flow, lower `maxRequests`, or send less: a reference, for example.',
  },
  REQUEST_FAILED: {
    text: 'A request failed.',
    fix: 'See `cause` and `step`. A step that may fail for a time can have `retry`, and `onFailure` an answer in its place.',
  },
  REQUEST_STOPPED: {
    text: 'A request was stopped.',
    fix: 'Nothing of it is left. Start it again with another id if it is wanted.',
  },
  REQUEST_TIMED_OUT: {
    text: 'A request took longer than its `timeoutMs`.',
    fix: 'What is left of it is stopped. Raise `timeoutMs`, or look for the slow step in `pipeline.snapshot()`.',
  },
  REQUEST_ENDED: {
    text: 'The request has ended.',
    fix: 'Nothing of it is left to stop, pause or resume. Its `state` says how it ended.',
  },
  REQUEST_OPEN: {
    text: 'The request has not ended.',
    fix: 'Only a request that has ended can be replayed. Wait for its end, or stop it.',
  },
  STEPS_NOT_KEPT: {
    text: 'The flow does not keep what its steps do, so its requests cannot go on where they were.',
    fix: 'Give the flow the setting `keepSteps: true`: the third argument of `flow`.',
  },
  FLOW_STORE_UNUSABLE: {
    text: 'The store of a flow cannot be used.',
    fix: 'See `reason`. Requests that were taken before go on, and are saved once it is back.',
  },
  FLOW_STORE_NOT_SHARED: {
    text: 'The role of a flow needs a store that several processes share.',
    fix: 'Open a PostgreSQL server with `openFlowStore(address, { shared: true })`. A file of SQLite and `MemoryFlowStore` are for one process.',
  },
  FLOW_ROLE_MISSING: {
    text: 'The store of a flow is shared with other processes, and the flow has no role.',
    fix: 'Give `runFlow` the option `role`, or open the store without `shared` to use it alone.',
  },
  FLOW_TAKES_NO_REQUESTS: {
    text: 'This instance of a flow only runs requests that others have taken.',
    fix: 'Send requests to an instance with the role `api` or `all`.',
  },
  CALLBACK_REFUSED: {
    text: 'The address in `Callback-Url` is not allowed.',
    fix: 'Use an http or https address without a password, of a host in the option `callbackHosts` of the server.',
  },
  FLOW_UNKNOWN: {
    text: 'There is no flow with this name.',
    fix: '`GET /flows` lists all.',
  },
  FLOW_NAME_TAKEN: {
    text: 'Two flows of one server have the same name.',
    fix: 'Rename one of them.',
  },
  REQUEST_UNKNOWN: {
    text: 'There is no request with this id.',
    fix: 'It may have ended long ago: `keepRequests` says how many are still known.',
  },
  LOOP_TOO_LARGE: {
    text: 'A loop has too many crossing edges to compute its traffic.',
    fix: 'Analyse a part of the graph, or collapse the loop into fewer nodes.',
  },
  NODE_UNKNOWN: {
    text: 'The graph has no node with this id.',
    fix: 'Use the id exactly as the graph spells it.',
  },
  THEME_UNKNOWN: {
    text: 'There is no theme with this name.',
    fix: 'Use default, dark, warm, forest, ocean or minimal, or make your own with `theme`.',
  },
  VIEW_INVALID: {
    text: 'The view cannot show what was asked for.',
    fix: 'Zoom to level 0, 1 or 2; focus with a radius of 0 or more; collapse a cluster that holds nodes.',
  },
  SVG_RENDERER_MISSING: {
    text: 'SVG needs the package @viz-js/viz, which is not installed.',
    fix: 'Install it: `npm install @viz-js/viz`. DOT and Mermaid need no package.',
  },
  SVG_NOT_DRAWN: {
    text: 'Graphviz could not draw the graph.',
    fix: 'The reason names the attribute. Check `shape`, `style` and `image` of nodes, and the theme.',
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

/** Problems get a line each, with a way out of its own. A history is long: it stands in `detail` alone. */
function messageOf(code: ErrorCode, { problems, ...where }: ErrorDetail): string {
  const { text, fix } = ERROR_CODES[code]
  const said = Object.entries(where).filter(([key]) => key !== 'history')
  const places = said.map(([key, value]) => `${key}: ${textOf(value)}`)
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
