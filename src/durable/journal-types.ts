import type { Files } from './files.ts'

/** How a journal is kept. */
export interface IngressJournalOptions {
  readonly dir: string
  readonly graph: string
  /** Sources that are pushed into. */
  readonly nodes: readonly string[]
  readonly sync: 'group' | 'each' | 'time'
  readonly syncMs: number
  readonly segmentBytes: number
  readonly files?: Files
}
