/** Options have no type beside their tables, but for functions of users: those are all there. The compiler is the test. */
import type {
  BatchPolicy,
  BufferOptions,
  ClusterOptions,
  ConditionalOptions,
  EdgeOptions,
  GraphNode,
  MergeOptions,
  NodeKind,
  RestartPolicy,
  RetryPolicy,
  RunOptions,
  SinkWriteOptions,
  SourceOptions,
  TransformOptions,
} from 'millrace'
import type { ControlOptions, ServeOptions } from 'millrace/control'
import type {
  BATCH_OPTIONS,
  CLUSTER_OPTIONS,
  CONTROL_OPTIONS,
  EDGE_OPTIONS,
  NODE_OPTIONS,
  OptionsFor,
  Resolved,
  RESTART_OPTIONS,
  RETRY_OPTIONS,
  RUN_OPTIONS,
  SERVE_OPTIONS,
} from '#src/options/index.js'

type Same<A, B> = [A, B] extends [B, A] ? true : { readonly onlyHere: Exclude<A, B>; readonly onlyThere: Exclude<B, A> }
type Keys<Table, Options> = Same<keyof Table, keyof Options>
type Takes<Kind extends NodeKind, Options> = Same<OptionsFor<typeof NODE_OPTIONS, Kind>, keyof Options>

export const same: readonly true[] = [
  true satisfies Keys<typeof NODE_OPTIONS, Omit<GraphNode, 'id' | 'kind' | 'hop'>>,
  true satisfies Takes<'source', SourceOptions<unknown, unknown>>,
  true satisfies Takes<'transform', TransformOptions<unknown, unknown, unknown>>,
  true satisfies Takes<'buffer', BufferOptions>,
  true satisfies Takes<'conditional', ConditionalOptions<unknown>>,
  true satisfies Takes<'merge', MergeOptions>,
  true satisfies Takes<'sink', SinkWriteOptions<unknown, unknown>>,
  true satisfies Keys<typeof EDGE_OPTIONS, EdgeOptions>,
  true satisfies Keys<typeof CLUSTER_OPTIONS, ClusterOptions>,
  true satisfies Keys<typeof RUN_OPTIONS, RunOptions>,
  true satisfies Keys<typeof BATCH_OPTIONS, BatchPolicy>,
  true satisfies Keys<typeof RETRY_OPTIONS, RetryPolicy>,
  true satisfies Keys<typeof RESTART_OPTIONS, RestartPolicy>,
  // A store and an import are no options of the tables: they are objects that do something.
  true satisfies Keys<typeof CONTROL_OPTIONS, Omit<ControlOptions, 'traces' | 'imports'>>,
  true satisfies Keys<typeof CONTROL_OPTIONS & typeof SERVE_OPTIONS, Omit<ServeOptions, 'traces' | 'imports'>>,
]

/** Values too, each as its row says; in what is resolved, options with a default are there. */
export const values: readonly true[] = [
  true satisfies Same<GraphNode['concurrency'], number | 'cores' | undefined>,
  true satisfies Same<GraphNode['whenFull'], 'block' | 'dropNewest' | 'dropOldest' | undefined>,
  true satisfies Same<NonNullable<SourceOptions<unknown, unknown>['restart']>['maxRestarts'], number | undefined>,
  true satisfies Same<RunOptions['signal'], AbortSignal | undefined>,
  true satisfies Same<ControlOptions['hosts'], readonly string[] | undefined>,
  true satisfies Same<Resolved<typeof NODE_OPTIONS>['chunk'], number>,
  true satisfies Same<Resolved<typeof NODE_OPTIONS>['batch']['size'], number>,
]

// @ts-expect-error a sink makes no records
export const sink: SinkWriteOptions<unknown, unknown> = { rate: 1 }
// @ts-expect-error not a policy of buffers
export const buffer: BufferOptions = { whenFull: 'drop' }
