import type { Memory } from '../memory/memory.ts'
import { PARENT_WORDS } from '../memory/slots.ts'
import { formatId } from './ids.ts'

/** A span of another system that a record continues: what a `traceparent` says. */
export interface TraceParent {
  /** 32 and 16 hexadecimal digits. */
  readonly traceId: string
  readonly spanId: string
  readonly isSampled: boolean
}

const FORMAT = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/

/** What a `traceparent` says; undefined where it is none: a trace begins here then, as the specification has it. */
export function parseParent(text: string): TraceParent | undefined {
  const [, traceId, spanId, flags] = FORMAT.exec(text.trim()) ?? []
  if (traceId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId!)) return undefined
  return { traceId, spanId: spanId!, isSampled: (Number.parseInt(flags!, 16) & 1) === 1 }
}

export function formatParent({ traceId, spanId }: Pick<TraceParent, 'traceId' | 'spanId'>): string {
  return `00-${traceId}-${spanId}-01`
}

/** Writes it beside a slot that is opened by the next hand-off: until then nobody reads there. */
export function writeParent({ words }: Memory, parents: number, slot: number, { traceId, spanId }: TraceParent): void {
  const at = parents / 4 + PARENT_WORDS * slot
  const digits = traceId + spanId
  for (let i = 0; i < PARENT_WORDS; i++) words[at + i] = Number.parseInt(digits.slice(8 * i, 8 * i + 8), 16) | 0
}

/** Its words, where they lie in a slot's place or in an event. */
export function parentOf(word: (index: number) => number): Pick<TraceParent, 'traceId' | 'spanId'> {
  const two = (index: number): string => formatId(word(index + 1), word(index))
  return { traceId: two(0) + two(2), spanId: two(4) }
}
