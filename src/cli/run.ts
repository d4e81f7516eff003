import { divide } from '../analysis/divide.ts'
import { ControlClient } from '../control/client.ts'
import type { ControlServer } from '../control/index.ts'
import { MillraceError } from '../errors.ts'
import type { GraphData } from '../graph/types.ts'
import { durationText, numberText, rateText } from '../render/text.ts'
import { shownText } from '../shown.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import type { Report } from '../supervisor/report.ts'
import { run as runGraph } from '../supervisor/run.ts'
import { numberOf, textOf, TOKEN_TEXT, type Call, type Command, type Output, type Values } from './command.ts'
import { loadControl } from './load-control.ts'
import { GRAPH_OPTIONS, loadGiven } from './load-graph.ts'
import { Interrupts } from './interrupts.ts'
import { oneLine } from './table.ts'
import { follow } from './top.ts'
import { measurements } from '../telemetry/measurements.ts'
import { writeTextFile } from './text-file.ts'
import { clearInterval, setInterval } from '../time.ts'

const PROGRESS_MS = 5_000
/** What a record holds is printed whole, as far as a stack goes. */
const WHOLE = { depth: 200, bytes: Infinity }

export const runCommand: Command = {
  summary: 'Runs a graph with its control API and page. Ctrl-C drains; a second Ctrl-C stops.',
  usage:
    'MODULE [--graph NAME] [--part NAME] [--params JSON] [--port N] [--host HOST] [--token TOKEN] [--no-api] [--inject] [--show-records] [--measure FILE] [--json]',
  options: {
    graph: GRAPH_OPTIONS.graph,
    params: GRAPH_OPTIONS.params,
    'load-seconds': GRAPH_OPTIONS['load-seconds'],
    part: { type: 'string', value: 'NAME', text: 'Runs one part of a graph with `via`. Default: all parts.' },
    port: { type: 'string', value: 'N', text: 'Port of the API. Default: 4480, or any free port if it is taken.' },
    host: { type: 'string', value: 'HOST', text: 'Address of the API. Default: 127.0.0.1.' },
    token: { type: 'string', value: 'TOKEN', text: TOKEN_TEXT },
    'no-api': { type: 'boolean', text: 'Runs without the API.' },
    inject: { type: 'boolean', text: 'Lets test records and dead letters enter before any node.' },
    'show-records': { type: 'boolean', text: 'Lets the API show the contents of records.' },
    measure: {
      type: 'string',
      value: 'FILE',
      text: 'Writes the measurements to this file at the end, for --measurements of check, draw and simulate.',
    },
    json: { type: 'boolean', text: 'Prints the report as one line of JSON at the end.' },
  },
  async run(call) {
    const { values, output } = call
    const { given, params, graph } = await loadGiven(call)
    const part = textOf(values, 'part')
    const pipeline = await runGraph(given, { inject: values['inject'] === true, params, ...(part && { part }) })
    using interrupts = new Interrupts(pipeline, output)
    const server = await serve(pipeline, values, output).catch(async (error: unknown) => {
      await pipeline.stop()
      throw error
    })
    const outputs = printOutputs(pipeline, divide(graph, part), output)
    await watched(pipeline, server, { printsRecords: outputs.length > 0, interrupts }, call)
    await Promise.all(outputs)
    await server?.close()
    const file = textOf(values, 'measure')
    if (file !== undefined) await writeTextFile(file, JSON.stringify(measurements(pipeline.plan, pipeline.snapshot())))
    return await reported(pipeline, server, values, output)
  },
}

/** @throws CONTROL_NOT_INSTALLED and CONTROL_NOT_LISTENING where a port was asked for; else it runs without, or at another */
async function serve(pipeline: Pipeline, values: Values, output: Output): Promise<ControlServer | undefined> {
  if (values['no-api'] === true) return undefined
  const [port, host, token] = [numberOf(values, 'port'), textOf(values, 'host'), tokenOf(values)]
  const options = {
    showRecords: values['show-records'] === true,
    ...(host === undefined ? {} : { host }),
    ...(token === undefined ? {} : { token }),
  }
  try {
    const { serveControl } = await loadControl()
    const server = await serveControl(pipeline, { ...options, ...(port === undefined ? {} : { port }) }).catch(
      (error: unknown) => {
        if (port !== undefined || !isCode(error, 'CONTROL_NOT_LISTENING')) throw error
        return serveControl(pipeline, { ...options, port: 0 })
      },
    )
    output.warn(`${oneLine(pipeline.name)} runs: ${server.url}`)
    return server
  } catch (error) {
    if (port !== undefined || !isCode(error, 'CONTROL_NOT_INSTALLED')) throw error
    output.warn(`${oneLine(pipeline.name)} runs without its page and API; \`npm install fastify typebox\` adds them.`)
    return undefined
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof MillraceError && error.code === code
}

function tokenOf(values: Values): string | undefined {
  return textOf(values, 'token') ?? process.env['MILLRACE_TOKEN']
}

/** Sinks without `write` are printed: one line of JSON for each record. */
function printOutputs(pipeline: Pipeline, graph: GraphData, output: Output): Promise<void>[] {
  const sinks = graph.nodes.filter(({ kind, write }) => kind === 'sink' && write === undefined)
  return sinks.map(async ({ id }) => {
    for await (const record of pipeline.output(id)) output.print(shownText({ node: id, record }, WHOLE))
  })
}

/** Shows how it goes until it has ended: on a terminal as `top` does, else a line now and then. */
async function watched(
  pipeline: Pipeline,
  server: ControlServer | undefined,
  { printsRecords, interrupts }: { readonly printsRecords: boolean; readonly interrupts: Interrupts },
  { values, output }: Call,
): Promise<void> {
  const ended = pipeline.finished.then(
    () => undefined,
    () => undefined,
  )
  if (server === undefined || output.terminal === undefined || printsRecords || values['json'] === true) {
    const timer = setInterval(() => output.warn(progressLine(pipeline)), PROGRESS_MS)
    await ended
    return clearInterval(timer)
  }
  const stop = new AbortController()
  const client = new ControlClient(server.url.replace('0.0.0.0', '127.0.0.1'), { token: tokenOf(values) })
  const hint = (): string => `${server.url}   ${interrupts.hint}`
  interrupts.isShown = true
  const view = follow(client, pipeline.name, {
    output,
    rateHz: 2,
    asJson: false,
    isOnce: false,
    hint,
    signal: stop.signal,
  })
  await Promise.race([ended, view.catch((error: unknown) => output.warn(String(error)))])
  await ended
  stop.abort()
  await view.catch(() => undefined)
  interrupts.isShown = false
}

function progressLine(pipeline: Pipeline): string {
  const { stages, elapsedMs } = pipeline.snapshot()
  const sources = Object.values(stages).filter(({ kind }) => kind === 'source')
  const sum = (key: 'in' | 'done' | 'failed' | 'inFlight'): number =>
    sources.reduce((total, source) => total + source[key], 0)
  const acked = `${numberText(sum('done'))} acked (${rateText((sum('done') * 1_000) / elapsedMs)})`
  return `${oneLine(pipeline.name)} ${pipeline.state} ${durationText(elapsedMs)}: ${numberText(sum('in'))} made, ${acked}, ${numberText(sum('failed'))} failed, ${numberText(sum('inFlight'))} in flight`
}

async function reported(
  pipeline: Pipeline,
  server: ControlServer | undefined,
  values: Values,
  output: Output,
): Promise<number> {
  let failure: unknown
  const report = await pipeline.finished.catch((error: Error & { report?: Report }) => {
    failure = error
    return error.report
  })
  if (values['json'] === true) {
    const error =
      failure instanceof MillraceError ? { code: failure.code, message: failure.message, fix: failure.fix } : undefined
    output.print(JSON.stringify({ graph: pipeline.name, url: server?.url, report, error }))
  } else {
    if (report !== undefined) output.warn(reportLine(report))
    if (failure !== undefined) output.warn(failure instanceof Error ? failureText(failure) : 'It failed.')
  }
  return failure === undefined ? 0 : 1
}

/** What is wrong, and where in the code of the graph what caused it was thrown. */
function failureText(failure: Error): string {
  let root = failure
  while (root.cause instanceof Error) root = root.cause
  return root === failure || root.stack === undefined ? failure.message : `${failure.message}\n\n${root.stack}`
}

function reportLine({ outcome, acked, failed, deadLettered, dropped, abandoned, seconds }: Report): string {
  const parts = [
    `${numberText(acked)} acked (${rateText(acked / Math.max(seconds, Number.MIN_VALUE))})`,
    `${numberText(failed)} failed`,
    `${numberText(deadLettered)} dead-lettered`,
    ...(dropped === 0 ? [] : [`${numberText(dropped)} dropped`]),
    `${numberText(abandoned)} abandoned`,
  ]
  return `${outcome} after ${durationText(seconds * 1_000)}: ${parts.join(', ')}`
}
