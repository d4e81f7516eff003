import type { NodeKind } from '../graph/types.ts'
import { NODE_OPTIONS } from '../options.ts'

/** Kinds that get threads. Conditionals, merges and buffers live on the lanes between them. */
export function isStage(kind: NodeKind): boolean {
  return kind === 'source' || kind === 'transform' || kind === 'sink'
}

/** Defaults of the option tables that the analysis counts with. */
export const SOURCE_DEFAULTS = { window: NODE_OPTIONS.window.default, concurrency: NODE_OPTIONS.concurrency.default }
