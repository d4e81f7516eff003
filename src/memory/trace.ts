import { LINE_BYTES } from './memory.ts'

/**
 * The trace ring of a worker: events of what it handed off, and beside it the side ring, for the parts of an event that vary.
 *
 *     0     TAIL  SIDE_TAIL  DROPPED  TRUNCATED  THREW  REFUSALS   the worker, by its journal
 *     128   HEAD  SIDE_HEAD                       the tracer
 *     256   events of EVENT_WORDS words each (`events`, a power of two)
 *     …     side ring (`sideWords`, a power of two): positions are words and wrap as TAIL does
 *
 * An event is what became of one chunk at one hop: the words below. What does not fit lies in the side ring as sections, each
 * with a word that says its kind (low byte) and its length in words.
 *
 * Invariants (test/lane/trace.test.ts, test/interleave):
 *   X1  the TAIL of a hand-off is stored before everything else of it that another thread can see: who sees a frame, an ack or
 *       credit of it finds its events
 *   X2  who reads END of a slot loads all TAILs once more and reads up to them before it judges the slot: its events are all there
 *   X3  nothing between HEAD and TAIL is overwritten; a full ring drops, and nobody waits
 *   X4  what is dropped is counted by the hand-off that would have published it
 *   X5  a hand-off that recovery finishes publishes the same events: TAIL and the counts are absolute values of its journal
 */
export interface TraceLayout {
  readonly offset: number
  readonly events: number
  readonly sideWords: number
}

export const TAIL = 0
export const SIDE_TAIL = 1
/** Events that had no room, and events that had none for their sections. */
export const DROPPED = 2
export const TRUNCATED = 3
/** Calls of the source's predicate that threw. */
export const THREW = 4
/** Attributes that were refused, and calls of `redact` that threw. */
export const REFUSALS = 5
export const HEAD: number = LINE_BYTES / 4
export const SIDE_HEAD: number = HEAD + 1
export const EVENTS_BYTES: number = 2 * LINE_BYTES
export const EVENT_WORDS = 32
export const EVENT_BYTES: number = 4 * EVENT_WORDS

// Word indexes from the start of an event.
/** Kind in the low byte, then the outcome, then the EVENT_ flags. */
export const KIND = 0
/** Failed attempts before this one in the lower half, life of the worker in the upper one. */
export const ATTEMPT = 1
/** Stamps, low word and high word: when the chunk was taken, and when it was handed off. */
export const TAKEN = 2
export const HANDED = 4
/** Microseconds in the handler. */
export const SERVICE = 6
/** Position in the side ring of the first section, and the words of all of them. */
export const SIDE = 7
export const SIDE_LENGTH = 8
/** Records that the event is about, where not all of its inputs. */
export const RECORDS = 9
/** How many slots the chunk counts for; the first three words of one: its anchor, its TRACE and its SEQUENCE. */
export const SLOTS = 10
export const SLOT = 11
/** How many inputs; the first one. */
export const INPUTS = 14
export const INPUT = 15
/** How many outputs; the first one. */
export const OUTPUTS = 24
export const OUTPUT = 25

// Word indexes within an input or an output; an output has neither DEPTH nor a stamp.
export const EDGE = 0
export const BASE_LOW = 1
export const BASE_HIGH = 2
export const FIRST = 3
export const COUNT = 4
export const BYTES = 5
export const OUTPUT_WORDS = 6
export const DEPTH = 6
export const STAMP = 7
export const INPUT_WORDS = 9
export const SLOT_PART_WORDS = 3
/** EDGE of an input that came over none. */
export const NO_EDGE = -1

/** EVENT_ flags: an event of this chunk was dropped before; sections are missing; more of the same hop follows. */
export const EVENT_GAP: number = 1 << 16
export const EVENT_TRUNCATED: number = 1 << 17
export const EVENT_PART: number = 1 << 18

/** Kinds by number. */
export const EVENT_KINDS = [
  'none',
  'open',
  'hop',
  'batch',
  'emit',
  'fail',
  'retry',
  'dead',
  'drop',
  'filter',
  'end',
] as const
export const EVENT_OUTCOMES = [
  'ok',
  'failed',
  'retried',
  'deadLettered',
  'dropped',
  'filtered',
  'died',
  'abandoned',
] as const

/** Kinds of sections: a further slot, a further input, a further output, the origins of the last output (run lengths, or
 * the first place by itself where each record came of the next one), UTF-8 text of an error. */
export const SECTION_SLOT = 1
export const SECTION_INPUT = 2
export const SECTION_OUTPUT = 3
export const SECTION_ORIGINS = 4
export const SECTION_ERROR = 5
/** UTF-8 texts: attributes as JSON, captured records as JSON, a checksum, the type of a record. What a slot continues: its words. */
export const SECTION_ATTRIBUTES = 6
export const SECTION_CONTENT = 7
export const SECTION_CHECKSUM = 8
export const SECTION_TYPE = 9
export const SECTION_PARENT = 10

/**
 * What all workers know of tracing: a line of the supervisor's, a line of the tracer's.
 *
 *     0     RATE    share of slots that are traced, a float
 *     8     EVERY   1 of so many slots of each source worker; 0 none
 *     128   PRESSURE  how often the share is halved, for the rings are filling
 */
export const RATE = 0
export const EVERY = 2
export const PRESSURE: number = LINE_BYTES / 4
export const TRACE_CONTROL_BYTES: number = 2 * LINE_BYTES

export function traceBytes({ events, sideWords }: Pick<TraceLayout, 'events' | 'sideWords'>): number {
  return EVENTS_BYTES + EVENT_BYTES * events + 4 * sideWords
}
