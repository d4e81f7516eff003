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
    fix: 'Give `dataflow` a name: a string that is not empty.',
  },
  MODULE_INVALID: {
    severity: 'error',
    text: 'The module of the graph is named in a way in which workers cannot import it.',
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
    fix: 'Give it an id: a string that is not empty.',
  },
  NODE_ID_DUPLICATE: {
    severity: 'error',
    text: 'Several nodes have the same id.',
    fix: 'Rename one of them; `embed` takes a prefix for the ids of a whole graph.',
  },
  NODE_KIND_UNKNOWN: {
    severity: 'error',
    text: 'A node is of no known kind.',
    fix: 'Use source, transform, buffer, conditional, merge or sink.',
  },
  CLUSTER_ID_INVALID: {
    severity: 'error',
    text: 'A cluster has no id.',
    fix: 'Give it an id: a string that is not empty.',
  },
  CLUSTER_ID_DUPLICATE: {
    severity: 'error',
    text: 'Several clusters have the same id.',
    fix: 'Rename one of them, or say its options once.',
  },
  CLUSTER_UNKNOWN: {
    severity: 'error',
    text: 'A node or cluster lies in a cluster that the graph does not have.',
    fix: 'Add the cluster with `cluster(id)`, or correct the id.',
  },
  CLUSTER_LOOP: {
    severity: 'error',
    text: 'Clusters lie in each other.',
    fix: 'Remove one `parent`, so that the outermost cluster has none.',
  },
  OPTION_UNKNOWN: {
    severity: 'error',
    text: 'There is no such option.',
    fix: 'Correct its spelling, or remove it.',
  },
  OPTION_NOT_FOR_KIND: {
    severity: 'error',
    text: 'This kind of node does not take the option.',
    fix: 'Move the option to a node that takes it, or remove it.',
  },
  OPTION_TYPE_WRONG: {
    severity: 'error',
    text: 'An option has a value of the wrong type.',
    fix: 'Give a value of the type that the message names.',
  },
  OPTION_NOT_FINITE: {
    severity: 'error',
    text: 'A number is NaN or infinite.',
    fix: 'Give a finite number; leave the option out where there is no limit.',
  },
  OPTION_OUT_OF_BOUNDS: {
    severity: 'error',
    text: 'A number is out of its bounds.',
    fix: 'Give a number within the bounds that the message names.',
  },
  OPTION_VALUE_UNKNOWN: {
    severity: 'error',
    text: 'An option has a value that it does not know.',
    fix: 'Use one of the values that the message names.',
  },
  BOUNDS_CROSSED: {
    severity: 'error',
    text: 'A lower level is not below its upper level.',
    fix: 'Lower the first of the two, or raise the second.',
  },
  RATE_ABOVE_LIMIT: {
    severity: 'warning',
    text: 'A source declares more records per second than its `rateLimit` lets through.',
    fix: 'Raise `rateLimit`, or declare the rate that is meant.',
  },
  SERVICE_SAID_TWICE: {
    severity: 'warning',
    text: 'A stage declares both `latencyMs` and `serviceRate`; the rate counts.',
    fix: 'Keep one of the two.',
  },
  CAPACITY_ABOVE_WINDOW: {
    severity: 'warning',
    text: 'A buffer holds more than the windows of all sources let come to it, so it is never full.',
    fix: 'Raise the `window` of the sources above it, or lower the `capacity`.',
  },
  CONCURRENCY_UNUSED: {
    severity: 'warning',
    text: 'A source that is pushed to, or a sink that is read, asks for several workers. It has one, in the thread that runs the pipeline.',
    fix: 'Remove `concurrency`; give the work to a transform beside it.',
  },
  BATCH_ABOVE_WINDOW: {
    severity: 'warning',
    text: 'A batch is larger than all that may be on its way to it, so it never fills and always waits for its time-out.',
    fix: 'Raise the `window` of the sources above it, or make the batch smaller.',
  },
  HANDLER_INVALID: {
    severity: 'error',
    text: 'A handler is neither a function nor a reference.',
    fix: 'Give a function, or `{ module, export }` with two strings that are not empty.',
  },
  HANDLERS_SEVERAL: {
    severity: 'error',
    text: 'A node has several handlers where one is allowed.',
    fix: 'Keep one of them; put the others into nodes of their own.',
  },
  HANDLER_MISSING: {
    severity: 'warning',
    text: 'Other nodes of the graph have handlers, this one has none.',
    fix: 'Give it its handler, or take it out of the graph.',
  },
  BATCH_WITHOUT_BATCH_HANDLER: {
    severity: 'error',
    text: 'A transform collects batches, and its handler takes single records.',
    fix: 'Use `mapBatch`, or remove `batch`.',
  },
  OPTION_UNUSED: {
    severity: 'error',
    text: 'An option stands on a node that has no use for it.',
    fix: 'Remove it, or give the node the handler that it is for.',
  },
  ACK_WITHOUT_SOURCE: {
    severity: 'warning',
    text: 'A source has an `ack` and nothing that makes records.',
    fix: 'Give it `produce`, `poll` or `push`.',
  },
  DISPATCH_CONFLICT: {
    severity: 'error',
    text: '`partitionBy` spreads records by key, and `dispatch` asks for something else.',
    fix: 'Remove `dispatch`, or remove `partitionBy`.',
  },
  PARTITION_WITHOUT_KEY: {
    severity: 'error',
    text: 'Records are to be spread by key, and no key is given.',
    fix: 'Give `partitionBy`, or use another `dispatch`.',
  },
  SELECTOR_UNUSED: {
    severity: 'warning',
    text: 'An edge has a `selector`, and the next stage does not use `dispatch: broadcast`.',
    fix: 'Set `dispatch: broadcast` on the next stage, or remove the selector.',
  },
  EDGE_NODE_UNKNOWN: {
    severity: 'error',
    text: 'An edge begins or ends at a node that the graph does not have.',
    fix: 'Add the node, or correct the id.',
  },
  EDGE_INTO_SOURCE: {
    severity: 'error',
    text: 'An edge leads into a source, which takes no records.',
    fix: 'Make the node a transform or a merge, or remove the edge.',
  },
  EDGE_DUPLICATE: {
    severity: 'warning',
    text: 'Two edges join the same nodes by the same path and branch: each record arrives twice.',
    fix: 'Remove one, or give them different branches.',
  },
  SELF_LOOP: {
    severity: 'warning',
    text: 'A branch of a node leads back to the node itself.',
    fix: 'Make it a retry edge if that is what it is for, or leave it if the handler is sure to end.',
  },
  SELF_LOOP_ENDLESS: {
    severity: 'error',
    text: 'All that a node sends comes back to it.',
    fix: 'Use `pathType: retry` to try failed records again, or `when` to send only some records back.',
  },
  LOOP_WITHOUT_STAGE: {
    severity: 'error',
    text: 'A loop holds only buffers, conditionals and merges, so no thread would move its records.',
    fix: 'Put a transform into the loop, or remove one of its edges.',
  },
  LOOP_GROWS: {
    severity: 'warning',
    text: 'By the declared ratios, a loop sends back at least as many records as it takes, so they pile up.',
    fix: 'Declare the `ratio` of the edges that lead back and out, or a `selectivity` below 1.',
  },
  LOOP_MAY_BLOCK: {
    severity: 'warning',
    text: 'The lanes of a loop hold less than may be in it at once, so its workers may come to wait for each other.',
    fix: 'Set the capacity that the message names, or lower the `window` of the sources.',
  },
  DECLARED_DRIFTED: {
    severity: 'warning',
    text: 'What the graph declares is not what was measured.',
    fix: 'Declare what was measured, or find out why it differs.',
  },
  FAILURE_PATH_UNUSED: {
    severity: 'warning',
    text: 'A source has an error, retry or dead-letter edge, and a source has no record that could fail.',
    fix: 'Move the edge to the stage whose failures it should take.',
  },
  RETRY_UNUSED: {
    severity: 'warning',
    text: 'No record takes a retry edge: its node tries nothing again.',
    fix: 'Give the stage `retry: { maxAttempts }` of 2 or more; give an edge out of a conditional the `when` that `route` returns.',
  },
  RESULTS_UNUSED: {
    severity: 'warning',
    text: 'All edges out of a transform are for failures, so what it makes goes nowhere.',
    fix: 'Connect it by a normal edge to what takes its results.',
  },
  DEAD_LETTER_UNUSED: {
    severity: 'warning',
    text: 'A dead-letter edge stands beside an error edge of the same node, which takes all that is given up.',
    fix: 'Remove one of the two, or put the dead-letter edge behind what handles the errors.',
  },
  WHEN_UNUSED: {
    severity: 'error',
    text: 'An edge waits for a branch that its node never names.',
    fix: 'Remove `when`, or put a conditional or a transform in front of the edge.',
  },
  WHEN_MISSING: {
    severity: 'error',
    text: 'A conditional names the branch of each record, and one of its edges is for none.',
    fix: 'Give the edge the `when` that `route` returns.',
  },
  CONDITIONAL_WITHOUT_WHEN: {
    severity: 'warning',
    text: 'No edge of a conditional says which branch it is for, so it can be drawn, not run.',
    fix: 'Give each edge a `when`.',
  },
  RATIO_SUM: {
    severity: 'error',
    text: 'The ratios of the edges that share a node’s records do not add up.',
    fix: 'All branches of a conditional add up to 1, failures of a stage to at most 1.',
  },
  RATIOS_DISAGREE: {
    severity: 'error',
    text: 'Edges of one branch, or of one path of failures, carry the same records and declare different ratios.',
    fix: 'Give them the same `ratio`, or different branches.',
  },
  RATIO_UNUSED: {
    severity: 'warning',
    text: 'An edge that every record takes declares a ratio below 1.',
    fix: 'Use a conditional, or `when` with `emit`, to send only some records; or remove the ratio.',
  },
  DATA_TYPE_MISMATCH: {
    severity: 'warning',
    text: 'What arrives at a node is of another type than is expected there. Only names of types are compared (`Order`, `number[]`), no words.',
    fix: 'Correct one `dataType`, or put a transform between the two.',
  },
  FUSE_NOT_POSSIBLE: {
    severity: 'error',
    text: 'An edge is marked `fuse`, and its two nodes cannot share workers.',
    fix: 'Remove `fuse`, or what stands in its way.',
  },
  SOURCE_MISSING: {
    severity: 'error',
    text: 'The graph has no source.',
    fix: 'Add a source: nothing else makes records.',
  },
  SINK_MISSING: {
    severity: 'error',
    text: 'The graph has no sink.',
    fix: 'Add a sink; without `write` its records are read by `pipeline.output`.',
  },
  NODE_UNREACHABLE: {
    severity: 'warning',
    text: 'No source reaches the node, so it never gets a record.',
    fix: 'Connect it, or remove it.',
  },
  DEAD_END: {
    severity: 'warning',
    text: 'No sink is reached from the node, so what it sends ends nowhere.',
    fix: 'Connect it to a sink, or remove it.',
  },
} as const satisfies Record<string, ProblemEntry>

/** The code of a finding. */
export type ProblemCode = keyof typeof PROBLEMS

/** Where a problem lies. */
export type Place = Pick<Problem, 'node' | 'edge' | 'cluster' | 'option'>

/** Takes one finding. `fix` replaces the code's own where more is known. */
export type Report = (code: ProblemCode, message: string, place?: Place, fix?: string) => void

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
  return typeof id === 'string' ? `\`${JSON.stringify(id).slice(1, -1)}\`` : `\`${show(id)}\``
}

/** A value in a message, cut where it is long. */
export function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'string') return cut(JSON.stringify(value))
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text
}
