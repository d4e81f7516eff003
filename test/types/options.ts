/** The tables of options and the types of options name the same ones. The compiler is the test. */
import type {
  BatchPolicy,
  ClusterOptions,
  EdgeOptions,
  GraphNode,
  RestartPolicy,
  RetryPolicy,
  RunOptions,
} from 'millrace'
import type {
  BATCH_OPTIONS,
  CLUSTER_OPTIONS,
  EDGE_OPTIONS,
  NODE_OPTIONS,
  RESTART_OPTIONS,
  RETRY_OPTIONS,
  RUN_OPTIONS,
} from '#src/options.js'

type Same<A, B> = [A, B] extends [B, A] ? true : { readonly onlyHere: Exclude<A, B>; readonly onlyThere: Exclude<B, A> }
type Keys<Table, Options> = Same<keyof Table, keyof Options>

export const same: readonly true[] = [
  true satisfies Keys<typeof NODE_OPTIONS, Omit<GraphNode, 'id' | 'kind'>>,
  true satisfies Keys<typeof EDGE_OPTIONS, EdgeOptions>,
  true satisfies Keys<typeof CLUSTER_OPTIONS, ClusterOptions>,
  true satisfies Keys<typeof RUN_OPTIONS, RunOptions>,
  true satisfies Keys<typeof BATCH_OPTIONS, BatchPolicy>,
  true satisfies Keys<typeof RETRY_OPTIONS, RetryPolicy>,
  true satisfies Keys<typeof RESTART_OPTIONS, RestartPolicy>,
]
