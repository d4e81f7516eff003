import type { TracedOutput, TracedRecords, TraceEvent, TraceKind, TraceOutcome } from '../../event.ts'
import { ColumnReader, ColumnWriter } from './columns.ts'

/** Columns of what was taken, and of what was sent. */
const IN = namesOf('in')
const OUT = namesOf('out')
type Names = ReturnType<typeof namesOf>

function namesOf(side: string) {
  return {
    edge: `${side}.edge`,
    base: `${side}.base`,
    first: `${side}.first`,
    count: `${side}.count`,
    writtenAt: `${side}.writtenAt`,
    bytes: `${side}.bytes`,
    depth: `${side}.depth`,
  } as const
}

/** Events as columns. What an event does not have is -1, NaN or an empty text. */
export function encodeEvents(events: readonly TraceEvent[]): Buffer {
  const out = new ColumnWriter()
  out.int('events', events.length)
  for (const event of events) encode(event, out)
  return out.finish()
}

export function decodeEvents(bytes: Buffer): TraceEvent[] {
  const from = new ColumnReader(bytes)
  return Array.from({ length: from.int('events') }, () => decode(from))
}

function encode(event: TraceEvent, out: ColumnWriter): void {
  out.word('kind', event.kind)
  out.int('sequence', event.sequence)
  out.word('pipeline', event.pipeline)
  out.word('run', event.run)
  out.int('traces', event.traces.length)
  for (const trace of event.traces) out.hex('trace', trace)
  out.word('node', event.node)
  out.int('worker', event.worker)
  out.int('epoch', event.epoch)
  out.int('inputs', event.inputs.length)
  for (const input of event.inputs) encodeRecords(input, out, IN)
  out.int('outputs', event.outputs.length)
  for (const output of event.outputs) encodeOutput(output, out)
  out.int('attempt', event.attempt)
  out.float('takenAt', event.takenAt)
  out.float('handedOffAt', event.handedOffAt)
  out.float('serviceMs', event.serviceMs)
  out.word('outcome', event.outcome)
  const { error, attributes, content } = event
  out.int(
    'flags',
    (event.isIncomplete ? 1 : 0) +
      (event.isTruncated ? 2 : 0) +
      (error === undefined ? 0 : 4) +
      (attributes === undefined ? 0 : 8) +
      (content === undefined ? 0 : 16),
  )
  if (error !== undefined) {
    out.word('code', error.code)
    out.text('message', error.message)
  }
  if (attributes !== undefined) out.text('attributes', JSON.stringify(attributes))
  if (content !== undefined) out.text('content', JSON.stringify(content))
  out.text('checksum', event.checksum ?? '')
}

function decode(from: ColumnReader): TraceEvent {
  const kind = from.word('kind') as TraceKind
  const sequence = from.int('sequence')
  const pipeline = from.word('pipeline')
  const run = from.word('run')
  const traces = listOf(from.int('traces'), () => from.hex('trace'))
  const node = from.word('node')
  const worker = from.int('worker')
  const epoch = from.int('epoch')
  const inputs = listOf(from.int('inputs'), () => decodeRecords(from, IN))
  const outputs = listOf(from.int('outputs'), () => decodeOutput(from))
  const attempt = from.int('attempt')
  const takenAt = from.float('takenAt')
  const handedOffAt = from.float('handedOffAt')
  const serviceMs = from.float('serviceMs')
  const outcome = from.word('outcome') as TraceOutcome
  const flags = from.int('flags')
  const error = (flags & 4) === 0 ? {} : { error: { code: from.word('code'), message: from.text('message') } }
  const attributes =
    (flags & 8) === 0
      ? {}
      : { attributes: JSON.parse(from.text('attributes')) as NonNullable<TraceEvent['attributes']> }
  const content =
    (flags & 16) === 0 ? {} : { content: JSON.parse(from.text('content')) as NonNullable<TraceEvent['content']> }
  const sum = from.text('checksum')
  const checksum = sum === '' ? {} : { checksum: sum }
  const isIncomplete = (flags & 1) !== 0
  const isTruncated = (flags & 2) !== 0
  return {
    kind,
    sequence,
    pipeline,
    run,
    traces,
    node,
    worker,
    epoch,
    inputs,
    outputs,
    attempt,
    takenAt,
    handedOffAt,
    serviceMs,
    outcome,
    ...error,
    ...attributes,
    ...content,
    ...checksum,
    isIncomplete,
    isTruncated,
  }
}

function encodeRecords(records: TracedRecords, out: ColumnWriter, names: Names): void {
  out.int(names.edge, records.edge ?? -1)
  out.hex(names.base, records.base)
  out.int(names.first, records.first)
  out.int(names.count, records.count)
  out.float(names.writtenAt, records.writtenAt ?? Number.NaN)
  out.int(names.bytes, records.bytes ?? -1)
  out.int(names.depth, records.depth ?? -1)
}

function decodeRecords(from: ColumnReader, names: Names): TracedRecords {
  const edge = from.int(names.edge)
  const base = from.hex(names.base)
  const first = from.int(names.first)
  const count = from.int(names.count)
  const writtenAt = from.float(names.writtenAt)
  const bytes = from.int(names.bytes)
  const depth = from.int(names.depth)
  return {
    ...(edge < 0 ? {} : { edge }),
    base,
    first,
    count,
    ...(Number.isNaN(writtenAt) ? {} : { writtenAt }),
    ...(bytes < 0 ? {} : { bytes }),
    ...(depth < 0 ? {} : { depth }),
  }
}

function encodeOutput(output: TracedOutput, out: ColumnWriter): void {
  encodeRecords(output, out, OUT)
  out.int('origins', output.origins?.length ?? -1)
  for (const number of output.origins ?? []) out.int('origin', number)
}

function decodeOutput(from: ColumnReader): TracedOutput {
  const records = decodeRecords(from, OUT) as TracedOutput
  const length = from.int('origins')
  return length < 0 ? records : { ...records, origins: listOf(length, () => from.int('origin')) }
}

function listOf<T>(length: number, make: () => T): T[] {
  return Array.from({ length }, make)
}
