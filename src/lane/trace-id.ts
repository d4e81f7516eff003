import { RUN_HIGH, RUN_LOW } from '../memory/control.ts'
import type { Memory } from '../memory/memory.ts'
import { WRAPS_SHIFT, anchorSource } from '../memory/slots.ts'
import { formatId } from './ids.ts'

/** The words that name the trace of a slot. */
interface SlotTrace {
  readonly anchor: number
  readonly trace: number
  readonly sequence: number
}

/** Where the words of a pipeline lie. */
interface Controlled {
  readonly control: { readonly offset: number }
}

/** The 32 digits of a slot's trace: run, source number, how often its count of chunks has come round, and that count. */
export function traceIdOf(run: string, { anchor, trace, sequence }: SlotTrace): string {
  return run + formatId(sequence, (anchorSource(anchor) << 20) | (trace >>> WRAPS_SHIFT))
}

/** The same of a slot of this memory. */
export function traceIdAt(memory: Memory, plan: Controlled, slot: SlotTrace): string {
  return traceIdOf(runIdOf(memory, plan), slot)
}

/** The run that shared memory was made for: 16 digits. */
export function runIdOf({ words }: Memory, { control }: Controlled): string {
  const at = control.offset / 4
  return formatId(words[at + RUN_LOW]!, words[at + RUN_HIGH]!)
}
