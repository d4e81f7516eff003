import { basename } from 'node:path'
import { validate } from '../analysis/validate.ts'
import { numberOf, textOf, UsageError, type Command } from './command.ts'
import { composeOf } from './deploy-compose.ts'
import { kubernetesOf } from './deploy-kubernetes.ts'
import { partServices } from './deploy-services.ts'
import { GRAPH_OPTIONS, loadGraph } from './load-graph.ts'
import { exitCode, problemLines } from './report.ts'
import { toYaml } from './yaml.ts'

const FORMATS = ['compose', 'kubernetes'] as const

export const deployCommand: Command = {
  summary: 'Prints a deployment: one service for each part of a graph.',
  usage: 'MODULE --format compose|kubernetes [--image IMAGE] [--file PATH] [--most N] [--graph NAME]',
  options: {
    graph: GRAPH_OPTIONS.graph,
    params: GRAPH_OPTIONS.params,
    'load-seconds': GRAPH_OPTIONS['load-seconds'],
    strict: GRAPH_OPTIONS.strict,
    format: { type: 'string', value: 'FORMAT', text: 'compose or kubernetes.' },
    image: {
      type: 'string',
      value: 'IMAGE',
      text: 'Image that holds the module and millrace. Default: the name of the graph.',
    },
    file: {
      type: 'string',
      value: 'PATH',
      text: 'Path of the module in the image. Default: its name, in the working directory.',
    },
    most: { type: 'string', value: 'N', text: 'Instances that autoscaling may start of a part. Default: 10.' },
  },
  async run(call) {
    const { values, output, positionals } = call
    const format = FORMATS.find((each) => each === textOf(values, 'format'))
    if (format === undefined) throw new UsageError('--format takes compose or kubernetes.')
    const graph = await loadGraph(call)
    const problems = validate(graph)
    if (problems.length > 0)
      output.warn(
        problemLines(problems, { ...output, color: false })
          .join('\n')
          .trimEnd(),
      )
    if (problems.some(({ severity }) => severity === 'error')) return exitCode(problems, values)
    const services = partServices(graph)
    const image = textOf(values, 'image') ?? graph.name
    const file = textOf(values, 'file') ?? basename(positionals[0]!)
    const options = { image, file, most: numberOf(values, 'most', 1) ?? 10, params: textOf(values, 'params') }
    const documents =
      format === 'compose' ? [composeOf(graph, services, options)] : kubernetesOf(graph, services, options)
    output.print(
      documents
        .map((document) => toYaml(document))
        .join('---\n')
        .trimEnd(),
    )
    return exitCode(problems, values)
  },
}
