import type { TracingAnswer } from '../control/resources/tracing.ts'
import { durationText, percentText } from '../render/text.ts'
import { type Call, numberOf, UsageError } from './command.ts'
import { table } from './table.ts'
import { reach } from './trace-live.ts'

/** Says what a running pipeline traces, and changes it. @throws UsageError, CONTROL_UNREACHABLE, PIPELINE_UNKNOWN */
export async function showRate({ values, output }: Call, url: string): Promise<number> {
  if (!/^https?:\/\//.test(url)) throw new UsageError('rate takes the address of a control API.')
  const rate = numberOf(values, 'rate')
  const every = numberOf(values, 'every')
  if (rate !== undefined && rate > 1) throw new UsageError(`--rate takes a share from 0 to 1, not ${rate}.`)
  const { client, pipeline } = await reach(url, values)
  const wanted = { ...(rate === undefined ? {} : { rate }), ...(every === undefined ? {} : { every }) }
  const isChange = Object.keys(wanted).length > 0
  const found = isChange ? await client.setTracing(pipeline, wanted) : await client.read(pipeline, '/tracing')
  if (values['json'] === true) output.print(JSON.stringify(found, undefined, 2))
  else output.print([...rateLines(found), ...sinkLines(found, output)].join('\n'))
  return 0
}

function rateLines({ rate, every, run, tracer }: TracingAnswer): string[] {
  const { read, readPerSecond, dropped, threw, lagMs, fill, pressure } = tracer
  const thinned = pressure > 0 ? `, thinned to one in ${2 ** pressure} of that` : ''
  const throwing = threw > 0 ? [`Predicates threw ${threw} times.`] : []
  return [
    `Run ${run}: ${percentText(rate)} of the chunks${every > 0 ? `, and one in ${every}` : ''}${thinned}.`,
    `Events: ${read} read, ${Math.round(readPerSecond)} a second, ${dropped} dropped; rings ${percentText(fill)} full, ${durationText(lagMs)} behind.`,
    ...throwing,
  ]
}

function sinkLines({ tracer: { sinks } }: TracingAnswer, output: Call['output']): readonly string[] {
  const titles = ['SINK', 'WRITTEN', 'WAITING', 'FULL', 'FAILED']
  const rows = sinks.map(({ name, written, waiting, droppedFull, droppedByError }) => [
    name,
    ...[written, waiting, droppedFull, droppedByError].map(String),
  ])
  return [
    '',
    ...table(
      titles.map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' })),
      rows,
      output,
    ),
  ]
}
