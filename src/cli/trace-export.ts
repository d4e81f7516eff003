import { writeFile } from 'node:fs/promises'
import { MillraceError } from '../errors.ts'
import { toRecording } from '../trace/store/recording.ts'
import { flowSvg } from '../trace/export/flow-svg.ts'
import { toNdjson } from '../trace/export/ndjson.ts'
import { toPerfetto } from '../trace/export/perfetto.ts'
import { OtlpExporter, otlpFromEnvironment, requestOf } from '../trace/otlp/exporter.ts'
import { Spans } from '../trace/otlp/spans.ts'
import { eventsOf, type TraceRange, type TraceSource } from '../trace/source.ts'
import { type Call, textOf, UsageError } from './command.ts'
import { rangeOf } from './trace-options.ts'

const FORMATS = ['perfetto', 'otlp', 'ndjson', 'svg', 'recording'] as const
type Format = (typeof FORMATS)[number]

/** Writes what a store holds in another form. @throws UsageError, FILE_NOT_WRITTEN, SVG_RENDERER_MISSING, TRACE_UNKNOWN */
export async function exportTrace(call: Call, source: TraceSource): Promise<number> {
  const { values, output } = call
  const format = FORMATS.find((each) => each === textOf(values, 'format'))
  if (format === undefined) throw new UsageError(`--format takes ${FORMATS.join(', ')}.`)
  const file = textOf(values, 'out')
  const trace = textOf(values, 'trace')
  const range: TraceRange = { ...rangeOf(values), traces: trace === undefined ? undefined : new Set([trace]) }
  const address = textOf(values, 'url')
  const target =
    address === undefined ? otlpFromEnvironment(process.env) : { ...otlpFromEnvironment(process.env), url: address }
  if (format === 'otlp' && file === undefined && target !== undefined) return send(call, source, range, target.url)
  if (format === 'perfetto' && file === undefined)
    throw new UsageError('A Perfetto file is not text: name a file with --out FILE.')
  if (format === 'recording') return writeRecording(call, source, range, file)
  const content = await contentOf(format, source, range)
  if (file === undefined) output.print(String(content).trimEnd())
  else {
    await write(file, content)
    output.print(
      values['json'] === true
        ? JSON.stringify({ format, file, bytes: content.length }, undefined, 2)
        : `Written to ${file}.`,
    )
  }
  return 0
}

async function contentOf(
  format: Exclude<Format, 'recording'>,
  source: TraceSource,
  range: TraceRange,
): Promise<string | Buffer> {
  if (format === 'svg') return flowSvg(source, range)
  const events = await eventsOf(source, range)
  if (format === 'perfetto') return toPerfetto(events)
  return format === 'ndjson' ? toNdjson(events) : JSON.stringify(requestOf(events, new Spans()))
}

/** However large it is: a block of events at a time. */
async function writeRecording(
  { values, output }: Call,
  source: TraceSource,
  range: TraceRange,
  file: string | undefined,
): Promise<number> {
  if (file === undefined) throw new UsageError('Name a file for the recording: --out FILE.')
  try {
    await writeFile(file, toRecording(source, range))
  } catch (cause) {
    throw new MillraceError('FILE_NOT_WRITTEN', { file, reason: String(cause) }, { cause })
  }
  output.print(values['json'] === true ? JSON.stringify({ format: 'recording', file }) : `Written to ${file}.`)
  return 0
}

async function send({ values, output }: Call, source: TraceSource, range: TraceRange, url: string): Promise<number> {
  const events = await eventsOf(source, range)
  const exporter = new OtlpExporter({
    ...otlpFromEnvironment(process.env),
    url,
    maxPending: Infinity,
    closeMs: 600_000,
  })
  exporter.write(events)
  await exporter.close()
  const { written, dropped, rejected, lastFailure } = exporter.stats()
  const told = { sent: written, dropped, rejected, ...(lastFailure === undefined ? {} : { lastFailure }) }
  output.print(
    values['json'] === true
      ? JSON.stringify(told, undefined, 2)
      : `Sent ${written} spans; ${dropped} could not be sent, ${rejected} were rejected.`,
  )
  if (lastFailure !== undefined) output.warn(lastFailure)
  return dropped + rejected === 0 ? 0 : 1
}

async function write(file: string, content: string | Buffer): Promise<void> {
  try {
    await writeFile(file, content)
  } catch (cause) {
    throw new MillraceError('FILE_NOT_WRITTEN', { file, reason: String(cause) }, { cause })
  }
}
