import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { errorText, MillraceError } from '../../errors.ts'
import type { TraceEvent } from '../event.ts'
import type { TraceRange, TraceRun, TraceSource } from '../source.ts'
import { MemoryStore } from './memory-store.ts'

/** Of the first line of a recording. */
const MARK = '{"millrace":"recording"'
const VERSION = 1

interface Head {
  readonly version: number
  readonly runs: readonly TraceRun[]
}

/** What of a recording could not be read. */
export interface Damage {
  /** Bytes behind the last line that is whole, and lines that are no events. */
  readonly tornBytes: number
  readonly damagedBlocks: number
}

/**
 * A recording: runs and their events in one file, to be looked at later and elsewhere, without what they were made by. Lines of
 * JSON: the runs with their graphs, an event each, and how many there were.
 */
export async function* toRecording(source: TraceSource, range: TraceRange = {}): AsyncIterable<string> {
  const runs = (await source.runs()).filter(
    ({ run, pipeline }) => (range.run ?? run) === run && (range.pipeline === undefined || range.pipeline === pipeline),
  )
  yield `${JSON.stringify({ millrace: 'recording', version: VERSION, runs })}\n`
  let events = 0
  for await (const block of source.read(range)) {
    events += block.length
    if (block.length > 0) yield block.map((event) => `${JSON.stringify(event)}\n`).join('')
  }
  yield `${JSON.stringify({ events })}\n`
}

/** Whether a file says that it is a recording. */
export async function isRecording(file: string): Promise<boolean> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(MARK.length), position: 0 })
    return buffer.toString('utf8', 0, bytesRead) === MARK
  } finally {
    await handle.close()
  }
}

/** The events of a recording, in memory. A file that was cut is read up to there. */
export class Recording extends MemoryStore {
  /** What could not be read. */
  readonly damage: Damage

  private constructor(damage: Damage) {
    super({ maxEvents: Infinity })
    this.damage = damage
  }

  /** @throws TRACE_STORE_UNUSABLE: of another version, or no recording */
  static async open(file: string): Promise<Recording> {
    let head: Head | undefined
    let claimed: number | undefined
    let damagedBlocks = 0
    let torn = 0
    const events: TraceEvent[] = []
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      if (torn > 0) damagedBlocks++
      torn = 0
      const found = parsed(line)
      if (head === undefined) head = headOf(found, file)
      else if (isEvent(found)) events.push(found)
      else if (isEnd(found)) claimed = found.events
      // Only the last line may be cut; of any other one something is wrong.
      else torn = Buffer.byteLength(line)
    }
    if (head === undefined) throw unusable(file, 'it is empty')
    const missing = claimed === undefined ? 0 : Math.max(0, claimed - events.length - damagedBlocks)
    const recording = new Recording({ tornBytes: torn, damagedBlocks: damagedBlocks + missing })
    for (const run of head.runs) await recording.begin(run)
    recording.write(events)
    return recording
  }
}

function headOf(found: unknown, file: string): Head {
  const { millrace, version, runs } = (found ?? {}) as Partial<Head> & { millrace?: unknown }
  if (millrace !== 'recording' || !Array.isArray(runs)) throw unusable(file, 'it is no recording')
  if (version !== VERSION)
    throw unusable(file, `it is a recording of version ${version}, and this is version ${VERSION}`)
  return { version, runs }
}

function unusable(store: string, reason: string): MillraceError {
  return new MillraceError('TRACE_STORE_UNUSABLE', { store, reason })
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    return errorText(error)
  }
}

function isEvent(found: unknown): found is TraceEvent {
  const { kind, traces, inputs, outputs } = (found ?? {}) as Partial<TraceEvent>
  return typeof kind === 'string' && Array.isArray(traces) && Array.isArray(inputs) && Array.isArray(outputs)
}

function isEnd(found: unknown): found is { readonly events: number } {
  return typeof (found as { events?: unknown } | undefined)?.events === 'number'
}
