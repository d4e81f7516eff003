import { DOORBELL_BYTES } from './doorbell.ts'
import { LINE_BYTES } from './memory.ts'

/**
 * Control words: what the supervisor and the workers tell each other without messages, and where they lie. All but GIVEN and ASKED
 * are words of one writer; RATE and SPEEDUP are floats: a plain store, which the ring of the doorbell after it makes visible.
 *
 * Of the pipeline, stored by the supervisor:
 *     0    PHASE   see below
 *     4    RUN low, RUN high: a random number of this run, which the ids of records are mixed from
 *     12   ASKED    number of the last flush that was asked for, by anyone (docs/protocol.md, markers)
 *     16   PROBED   index of the stage that a probe makes quicker, virtually
 *     24   SPEEDUP  a float: by which part of its time
 *
 * Of each stage:
 *     0    RATE     records per second that it may make, or work on; 0 as planned, Infinity without limit. Stored by the supervisor
 *     8    GIVEN    what its limit has let through: the one word here that several workers change (`worker/limit/rate-limit.ts`)
 *
 * Of each worker: a line of the supervisor's, a line of its own, then its doorbell.
 *     0    COMMAND  a bit for each lasting request
 *     128  STATE    see below
 *     132  BEAT     counts up with every step of the loop: it stands still where a handler hangs
 *     136  ASYNC    1 once its handler has answered with a promise, so that its calls may overlap
 *     140  NET      while its loop waits: for how long at most, in ms; 0 while it steps
 *     144  RELEASED the last version of its stage's sizing by which it has lost keys or its seat, and kept nothing of them
 */
export const PHASE = 0
export const RUN_LOW = 1
export const RUN_HIGH = 2
export const ASKED = 3
export const PROBED = 4
/** Index of a float. */
export const SPEEDUP = 3
/** The phases of a pipeline, in their order: a worker that sees one goes on accordingly. */
export const PHASES = ['starting', 'running', 'draining', 'stopping', 'nacking'] as const
export type Phase = (typeof PHASES)[number]
export const STARTING = 0
export const RUNNING = 1
/** Sources make no more records; batches do not wait for more. */
export const DRAINING = 2
/** Everyone leaves after the step in hand. */
export const STOPPING = 3
/** All others have left: sources with `ack` tell what has not been told, and nack what is left. */
export const NACKING = 4
export const PIPELINE_CONTROL_BYTES: number = LINE_BYTES

/** Index of a float, not of a word. */
export const RATE = 0
export const GIVEN = 2
export const RATE_LIMIT_BYTES: number = LINE_BYTES

export const COMMAND = 0
export const STATE: number = LINE_BYTES / 4
export const BEAT: number = STATE + 1
export const ASYNC: number = STATE + 2
export const NET: number = STATE + 3
export const RELEASED: number = STATE + 4

/** COMMAND: a source makes no records. */
export const PAUSED = 1
/** COMMAND: the worker lets its event loop run after every step; a sync stage that is busy or parked would not. */
export const ATTEND = 2
/** COMMAND: nobody has this seat, and nothing more comes of whoever had it. */
export const VACANT = 4
/** COMMAND: a probe makes another stage quicker, virtually: this worker waits for a part of what that one works. */
export const DELAYED = 8
/** COMMAND: the stage gave up; a worker that starts runs without its handler. */
export const DETACHED = 16

/** What a worker is at. No worker stores the last one: nobody has its seat. */
export const WORKER_STATES = ['new', 'setup', 'ready', 'running', 'over', 'left', 'vacant'] as const
/** Where a worker is between its start and its end. */
export type WorkerState = (typeof WORKER_STATES)[number]
export const NEW = 0
export const SETUP = 1
export const READY = 2
export const LIVE = 3
/** A source that makes no more records and has all of them acked. */
export const ENDED = 4
/** The loop is over and the handler's teardown done. */
export const LEFT = 5

const CONTROL_BYTES = 2 * LINE_BYTES
export const WORKER_CONTROL_BYTES: number = CONTROL_BYTES + DOORBELL_BYTES

export function doorbellOffset(controlOffset: number): number {
  return controlOffset + CONTROL_BYTES
}
