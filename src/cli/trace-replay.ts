import { printable } from '../shown.ts'
import { replayNode, type ReplayedRecord } from '../trace/replay/replay.ts'
import type { TraceSource } from '../trace/source.ts'
import { type Call, numberOf, textOf, UsageError } from './command.ts'
import { loadGiven } from './load-graph.ts'
import { style } from './terminal-text.ts'
import { rangeOf } from './trace-options.ts'

/** Puts captured records through one node of a graph once more. Exit code 1 where something else comes of one. */
export async function replayTrace(call: Call, source: TraceSource): Promise<number> {
  const { values, output } = call
  const [file, node] = [textOf(values, 'module'), textOf(values, 'node')]
  if (file === undefined || node === undefined) throw new UsageError('replay needs --module FILE and --node NODE.')
  const trace = textOf(values, 'trace')
  const { graph, params } = await loadGiven({ ...call, positionals: [file] })
  const found = await replayNode(source, graph, {
    ...rangeOf(values),
    traces: trace === undefined ? undefined : new Set([trace]),
    node,
    params,
    record: textOf(values, 'record'),
    limit: numberOf(values, 'limit', 1),
  })
  const changed = found.filter(({ verdict }) => verdict === 'changed')
  output.print(values['json'] === true ? JSON.stringify(found, undefined, 2) : lines(found, changed, output).join('\n'))
  return changed.length === 0 ? 0 : 1
}

function lines(found: readonly ReplayedRecord[], changed: readonly ReplayedRecord[], output: Call['output']): string[] {
  const unknown = found.filter(({ verdict }) => verdict === 'unknown').length
  return [
    ...changed.flatMap(({ record, was, is, error }) => [
      style('bold', record, output),
      ...was.map(({ edge, json }) => `  - edge ${edge}: ${printable(json)}`),
      ...is.map(({ edge, json }) => `  + edge ${edge}: ${printable(json)}`),
      ...(error === undefined ? [] : [`  + ${error.code}: ${printable(error.message)}`]),
    ]),
    ...(found.length === 0 ? ['No record was captured before this node: see the option `capture` of edges.'] : []),
    `${found.length} records: ${found.length - changed.length - unknown} as before, ${changed.length} changed${unknown > 0 ? `, ${unknown} with nothing to compare` : ''}.`,
  ]
}
