import type { Problem, Severity } from './types.ts'

/** The fixed part of a finding: how grave it is, its text, and the way out. */
export interface ProblemEntry {
  readonly severity: Severity
  readonly text: string
  readonly fix: string
}

/**
 * Every problem that the validation reports. A code is never renamed and never reused. `docs/problems.md` is printed from
 * this table.
 */
export const PROBLEMS = {
  GRAPH_NAME_INVALID: {
    severity: 'error',
    text: 'The graph has no name.',
    fix: 'Give `dataflow` a name that is not empty.',
  },
  MODULE_INVALID: {
    severity: 'error',
    text: 'Workers cannot import the module of the graph by this name.',
    fix: 'Name it by its URL or its absolute path: `dataflow(name, import.meta.url)`, in CommonJS `dataflow(name, __filename)`.',
  },
  ENTRY_INVALID: {
    severity: 'error',
    text: 'A node, edge or cluster is not an object.',
    fix: 'Write `{ id, kind, … }` for a node, `{ from, to, … }` for an edge, `{ id, … }` for a cluster.',
  },
  NODE_ID_INVALID: {
    severity: 'error',
    text: 'A node has no id.',
    fix: 'Give it an id that is not empty.',
  },
  NODE_ID_DUPLICATE: {
    severity: 'error',
    text: 'Several nodes have the same id.',
    fix: 'Rename one of them. To embed a whole graph, give `embed` a prefix for its ids.',
  },
  NODE_KIND_UNKNOWN: {
    severity: 'error',
    text: 'The kind of a node is unknown.',
    fix: 'Use source, transform, buffer, conditional, merge or sink.',
  },
  CLUSTER_ID_INVALID: {
    severity: 'error',
    text: 'A cluster has no id.',
    fix: 'Give it an id that is not empty.',
  },
  CLUSTER_ID_DUPLICATE: {
    severity: 'error',
    text: 'Several clusters have the same id.',
    fix: 'Rename one of them, or define it only once.',
  },
  CLUSTER_UNKNOWN: {
    severity: 'error',
    text: 'A node or cluster is in a cluster that does not exist.',
    fix: 'Add the cluster with `cluster(id)`, or correct the id.',
  },
  CLUSTER_LOOP: {
    severity: 'error',
    text: 'Clusters contain each other.',
    fix: 'Remove one `parent`, so that the outermost cluster has none.',
  },
  OPTION_UNKNOWN: {
    severity: 'error',
    text: 'The option does not exist.',
    fix: 'Correct its spelling, or remove it.',
  },
  OPTION_NOT_FOR_KIND: {
    severity: 'error',
    text: 'This kind of node does not have this option.',
    fix: 'Move the option to a node that has it, or remove it.',
  },
  OPTION_TYPE_WRONG: {
    severity: 'error',
    text: 'An option has a value of the wrong type.',
    fix: 'Give a value of the type that the message names.',
  },
  OPTION_NOT_FINITE: {
    severity: 'error',
    text: 'A number is NaN or infinite.',
    fix: 'Give a finite number. If there is no limit, leave the option out.',
  },
  OPTION_OUT_OF_BOUNDS: {
    severity: 'error',
    text: 'A number is out of bounds.',
    fix: 'Give a number within the bounds that the message names.',
  },
  OPTION_VALUE_UNKNOWN: {
    severity: 'error',
    text: 'An option has an unknown value.',
    fix: 'Use one of the values that the message names.',
  },
  BOUNDS_CROSSED: {
    severity: 'error',
    text: 'A lower bound is not below its upper bound.',
    fix: 'Lower the lower bound, or raise the upper one.',
  },
  RATE_ABOVE_LIMIT: {
    severity: 'warning',
    text: 'A source declares a rate above its `rateLimit`.',
    fix: 'Raise `rateLimit`, or correct the declared rate.',
  },
  LIMIT_BY_MISPLACED: {
    severity: 'error',
    text: 'A limit by key is set on a source, a stage with batches, or a sink without `write`.',
    fix: 'Set it on a transform or sink that takes single records, or remove `rateLimit.by`.',
  },
  LIMIT_BY_SPREAD: {
    severity: 'error',
    text: 'A stage has a limit by key and several workers, and records with the same key may come to different ones.',
    fix: 'Set `partitionBy` to the same function as `rateLimit.by`, or use one worker.',
  },
  SERVICE_SAID_TWICE: {
    severity: 'warning',
    text: 'A stage declares both `latencyMs` and `serviceRate`. Only `serviceRate` is used.',
    fix: 'Keep one of the two.',
  },
  CAPACITY_ABOVE_WINDOW: {
    severity: 'warning',
    text: 'The capacity of a buffer is above the windows of all sources together, so it is never full.',
    fix: 'Raise the `window` of the sources above it, or lower the `capacity`.',
  },
  CONCURRENCY_UNUSED: {
    severity: 'warning',
    text: 'A push source or an output sink sets `concurrency`. It always has one worker, in the thread that called `run`.',
    fix: 'Remove `concurrency`, and do the work in a transform next to it.',
  },
  BATCH_ABOVE_WINDOW: {
    severity: 'warning',
    text: 'A batch is larger than the number of records that can be in flight, so it never fills and always waits for its timeout.',
    fix: 'Raise the `window` of the sources above it, or make the batch smaller.',
  },
  HANDLER_INVALID: {
    severity: 'error',
    text: 'A handler is neither a function nor a reference.',
    fix: 'Give a function, or `{ module, export }` with two non-empty strings.',
  },
  HANDLERS_SEVERAL: {
    severity: 'error',
    text: 'A node has several handlers, but only one is allowed.',
    fix: 'Keep one of them, and move the others to separate nodes.',
  },
  HANDLER_MISSING: {
    severity: 'warning',
    text: 'A node has no handler, but other nodes have one.',
    fix: 'Give it a handler, or remove it from the graph.',
  },
  BATCH_WITHOUT_KEY: {
    severity: 'error',
    text: 'A batch that waits for records that belong together has nothing that says which do.',
    fix: 'Add the option that is named: `batch.of` needs `batch.by`, and `batch.instead` needs `batch.of`.',
  },
  BATCH_WITHOUT_BATCH_HANDLER: {
    severity: 'error',
    text: 'A transform collects batches, but its handler takes single records.',
    fix: 'Use `mapBatch` or `mapEach`, or remove `batch`.',
  },
  BATCH_WEIGHT_HALF: {
    severity: 'error',
    text: 'A batch is weighed without a limit, or has a limit and is not weighed.',
    fix: 'Give `weigh` together with `weight` or `maxWeight`, or remove them.',
  },
  OPTION_UNUSED: {
    severity: 'error',
    text: 'An option has no effect on this node.',
    fix: 'Remove it, or give the node the handler that uses it.',
  },
  ACK_WITHOUT_SOURCE: {
    severity: 'warning',
    text: 'A source has an `ack` handler, but nothing that produces records.',
    fix: 'Give it `produce`, `poll` or `push`.',
  },
  DISPATCH_CONFLICT: {
    severity: 'error',
    text: '`partitionBy` distributes records by key, but `dispatch` says otherwise.',
    fix: 'Remove `dispatch`, or remove `partitionBy`.',
  },
  PARTITION_WITHOUT_KEY: {
    severity: 'error',
    text: '`dispatch: partition` needs a key, but there is no `partitionBy`.',
    fix: 'Add `partitionBy`, or use another `dispatch`.',
  },
  SELECTOR_MISPLACED: {
    severity: 'error',
    text: 'An edge has a `selector`, but is fused, or takes failures or retries: a record that it leaves out would be lost.',
    fix: 'Remove the selector, or set it on a normal edge.',
  },
  NACK_UNUSED: {
    severity: 'warning',
    text: 'An edge has `nack`, but takes no failures.',
    fix: 'Set `pathType` to `error` or `dead_letter`, or remove `nack`.',
  },
  EDGE_NODE_UNKNOWN: {
    severity: 'error',
    text: 'An edge begins or ends at a node that does not exist.',
    fix: 'Add the node, or correct the id.',
  },
  EDGE_INTO_SOURCE: {
    severity: 'error',
    text: 'An edge leads to a source, but sources have no input.',
    fix: 'Make the node a transform or a merge, or remove the edge.',
  },
  EDGE_DUPLICATE: {
    severity: 'warning',
    text: 'Two edges join the same nodes with the same path type and branch, so each record arrives twice.',
    fix: 'Remove one, or give them different branches.',
  },
  SELF_LOOP: {
    severity: 'warning',
    text: 'A branch of a node leads back to the node itself.',
    fix: 'If it is for retries, make it a retry edge. Keep it if the handler ends the loop at some point.',
  },
  SELF_LOOP_ENDLESS: {
    severity: 'error',
    text: 'Every record that a node sends comes back to it.',
    fix: 'Use `pathType: retry` to try failed records again, or `when` to send only some records back.',
  },
  LOOP_WITHOUT_STAGE: {
    severity: 'error',
    text: 'A loop contains only buffers, conditionals and merges, so no thread moves its records.',
    fix: 'Put a transform into the loop, or remove one of its edges.',
  },
  LOOP_GROWS: {
    severity: 'warning',
    text: 'According to the declared ratios, a loop sends back at least as many records as it takes, so records pile up.',
    fix: 'Declare the `ratio` of the edges that lead back and out, or a `selectivity` below 1.',
  },
  LOOP_MAY_BLOCK: {
    severity: 'warning',
    text: 'The lanes of a loop hold fewer records than can be in the loop at once, so its workers can wait for each other forever.',
    fix: 'Set the capacity that the message names, or lower the `window` of the sources.',
  },
  RESIZE_IMPOSSIBLE: {
    severity: 'error',
    text: 'A stage sets `maxConcurrency` or `scale` and cannot be resized: it has `partitionBy` and is part of a loop, or its batches wait for members (`batch.of`). A key cannot move while records of it go round or wait.',
    fix: 'Remove `maxConcurrency` or `scale`, or take the stage out of the loop.',
  },
  SCALE_WITHOUT_MAX: {
    severity: 'error',
    text: 'A stage has `scale`, and nothing says how many workers it may have.',
    fix: 'Set `scale.max`, or `maxConcurrency`.',
  },
  DECLARED_DRIFTED: {
    severity: 'warning',
    text: 'The measured value differs from the declared one.',
    fix: 'Declare the measured value, or find out why it differs.',
  },
  FAILURE_PATH_UNUSED: {
    severity: 'warning',
    text: 'A source has an error, retry or dead-letter edge, but records cannot fail in a source.',
    fix: 'Move the edge to the stage whose failures it should take.',
  },
  RETRY_UNUSED: {
    severity: 'warning',
    text: 'No record takes a retry edge, because its node does not retry.',
    fix: 'For a stage, set `retry: { maxAttempts }` to 2 or more. For a conditional, give the edge the `when` that `route` returns.',
  },
  RESULTS_UNUSED: {
    severity: 'warning',
    text: 'All edges from a transform are for failures, so its results go nowhere.',
    fix: 'Connect it with a normal edge to the node that takes its results.',
  },
  DEAD_LETTER_UNUSED: {
    severity: 'warning',
    text: 'A node has an error edge and a dead-letter edge. The error edge takes all failed records, so the dead-letter edge gets none.',
    fix: 'Remove one of them, or start the dead-letter edge at the node that handles the errors.',
  },
  WHEN_UNUSED: {
    severity: 'error',
    text: 'An edge has a `when`, but its node never sends to this branch.',
    fix: 'Remove `when`, or put a conditional or a transform before the edge.',
  },
  WHEN_MISSING: {
    severity: 'error',
    text: 'An edge of a conditional has no `when`, so no record takes it.',
    fix: 'Give the edge the `when` that `route` returns.',
  },
  CONDITIONAL_WITHOUT_WHEN: {
    severity: 'warning',
    text: 'No edge of a conditional has a `when`, so the graph can be drawn but not run.',
    fix: 'Give each edge a `when`.',
  },
  RATIO_SUM: {
    severity: 'error',
    text: 'The ratios of the edges of a node do not add up.',
    fix: 'The ratios of all branches of a conditional must add up to 1, and those of all failures of a stage to at most 1.',
  },
  RATIOS_DISAGREE: {
    severity: 'error',
    text: 'Edges of the same branch or failure path carry the same records, but declare different ratios.',
    fix: 'Give them the same `ratio`, or different branches.',
  },
  RATIO_UNUSED: {
    severity: 'warning',
    text: 'An edge declares a ratio below 1, but every record takes it.',
    fix: 'Use a conditional, or `when` with `emit`, to send only some records, or remove the ratio.',
  },
  DATA_TYPE_MISMATCH: {
    severity: 'warning',
    text: 'A node expects another `dataType` than the one that arrives. Only type names are compared (`Order`, `number[]`), not free text.',
    fix: 'Correct one `dataType`, or put a transform between the nodes.',
  },
  FUSE_NOT_POSSIBLE: {
    severity: 'error',
    text: 'An edge has `fuse`, but its two nodes cannot share workers.',
    fix: 'Remove `fuse`, or the option that prevents it.',
  },
  VIA_OPTION_MISSING: {
    severity: 'error',
    text: 'The address of a buffer is not complete.',
    fix: 'Give the option that the message names.',
  },
  VIA_OPTION_UNUSED: {
    severity: 'error',
    text: 'An option has no effect on a buffer with `via`, or on an edge at it.',
    fix: 'Remove it, or remove `via`.',
  },
  VIA_DEDUPE_SHORT: {
    severity: 'error',
    text: 'A record may be sent again after the broker has forgotten its id, so it may arrive twice.',
    fix: 'Set `dedupeMs` to at least twice the time after which messages of a crashed process are delivered again.',
  },
  VIA_QUEUE_SHARED: {
    severity: 'error',
    text: 'Two buffers have the same queue.',
    fix: 'Give each buffer a separate queue.',
  },
  VIA_BUFFERS_JOINED: {
    severity: 'error',
    text: 'An edge joins two buffers with `via`, so no part is between them.',
    fix: 'Put a transform between them, or remove one.',
  },
  VIA_WITHOUT_PARTS: {
    severity: 'warning',
    text: 'Both sides of a buffer with `via` are the same part, because another path joins them. They cannot run as two processes.',
    fix: 'Give the other path a buffer with `via` too, or keep it if one process is what you want.',
  },
  PARTS_LOOP: {
    severity: 'warning',
    text: 'Parts send records to each other in a loop. If their queues are full, they wait for each other.',
    fix: 'Give the queue on the way back enough `capacity`, or let the records leave the loop another way.',
  },
  SOURCE_MISSING: {
    severity: 'error',
    text: 'The graph has no source.',
    fix: 'Add a source. Only sources produce records.',
  },
  SINK_MISSING: {
    severity: 'error',
    text: 'The graph has no sink.',
    fix: 'Add a sink. If it has no `write`, read its records with `pipeline.output`.',
  },
  NODE_UNREACHABLE: {
    severity: 'warning',
    text: 'No source reaches the node, so it never gets a record.',
    fix: 'Connect it, or remove it.',
  },
  DEAD_END: {
    severity: 'warning',
    text: 'No path leads from the node to a sink, so its records go nowhere.',
    fix: 'Connect it to a sink, or remove it.',
  },
} as const satisfies Record<string, ProblemEntry>

/** The code of a finding. */
export type ProblemCode = keyof typeof PROBLEMS

/** Where a problem lies. */
export type Place = Pick<Problem, 'node' | 'edge' | 'cluster' | 'option'>

/** Takes one finding. `fix` replaces the code's own where more is known. */
export type ReportProblem = (code: ProblemCode, message: string, place?: Place, fix?: string) => void

export function problem(
  code: ProblemCode,
  message: string,
  place: Place = {},
  fix: string = PROBLEMS[code].fix,
): Problem {
  return Object.freeze({ code, severity: PROBLEMS[code].severity, message, fix, ...place })
}

/** An id in a message: in backticks, its control characters and quotes escaped, so that it stays on one line. */
export function quote(id: unknown): string {
  return typeof id === 'string' ? `\`${JSON.stringify(id).slice(1, -1)}\`` : `\`${showValue(id)}\``
}

/** A value in a message, cut where it is long. */
export function showValue(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'string') return cut(JSON.stringify(value))
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text
}
