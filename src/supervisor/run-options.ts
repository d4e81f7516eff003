import type { Given, RUN_OPTIONS } from '../options/index.ts'

/** Options of `run`; `docs/options.md` says what each is for. */
export interface RunOptions<Params = unknown> extends Omit<Given<typeof RUN_OPTIONS>, 'params'> {
  readonly params?: Params
}

/** The options of a run; `params` may be left out only where the graph does without. */
export type RunArguments<Params> = undefined extends Params
  ? [options?: RunOptions<Params>]
  : [options: RunOptions<Params> & { readonly params: Params }]
