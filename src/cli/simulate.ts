import { alone } from '../analysis/alone.ts'
import { bottlenecks, maxRate } from '../analysis/flow/capacity.ts'
import { forecast } from '../analysis/flow/forecast.ts'
import { latency } from '../analysis/flow/latency.ts'
import { retryLoops } from '../analysis/flow/retries.ts'
import { simulate as simulateGraph } from '../analysis/flow/simulate.ts'
import { sizing } from '../analysis/flow/sizing.ts'
import { changeGraph, whatIf } from '../analysis/flow/what-if.ts'
import { explain } from '../analysis/live/explain.ts'
import { measuredGraph } from '../analysis/live/measured.ts'
import { validate } from '../analysis/validate.ts'
import { availableCores } from '../cores.ts'
import type { GraphData } from '../graph/types.ts'
import { positiveOf, textOf, textsOf, UsageError, type Command } from './command.ts'
import { GRAPH_OPTIONS, loadGraph, loadMeasurements } from './load-graph.ts'
import { exitCode, problemLines } from './report.ts'
import { simulationText, type Predictions } from './simulation-text.ts'

export const simulateCommand: Command = {
  summary: 'Predicts rates, loads, buffers, the bottleneck, the largest rates and the latency of a graph.',
  usage: 'GRAPH [--part NAME] [--cores N] [--seconds S] [--set NODE.OPTION=VALUE …] [--measurements FILE] [--json]',
  options: {
    ...GRAPH_OPTIONS,
    cores: {
      type: 'string',
      value: 'N',
      text: 'Cores that `cpu` stages share. Default: those that this process may use.',
    },
    set: {
      type: 'string',
      multiple: true,
      value: 'NODE.OPTION=VALUE',
      text: 'Predicts with this option changed, beside the graph as it is. Repeatable.',
    },
    part: {
      type: 'string',
      value: 'NAME',
      text: 'One part of a graph whose buffers have `via`, with what the others send to it.',
    },
    seconds: {
      type: 'string',
      value: 'S',
      text: 'Also prints the mean rates of the first S seconds, while buffers and lanes still fill.',
    },
    measurements: {
      type: 'string',
      value: 'FILE',
      text: 'Measurements in JSON, used instead of what the graph declares.',
    },
  },
  async run(call) {
    const whole = await loadGraph(call)
    const problems = validate(whole)
    const code = exitCode(problems, call.values)
    if (problems.some(({ severity }) => severity === 'error')) {
      if (call.values['json'] === true) call.output.print(JSON.stringify({ graph: whole.name, problems }, undefined, 2))
      else call.output.warn(problemLines(problems, call.output).join('\n').trimEnd())
      return code
    }
    const part = textOf(call.values, 'part')
    const declared = part === undefined ? whole : alone(whole, part)
    const measurements = await loadMeasurements(call)
    const cores = positiveOf(call.values, 'cores') ?? availableCores()
    const graph = measurements === undefined ? declared : measuredGraph(declared, measurements)
    const changes = changesOf(textsOf(call.values, 'set'))
    const seconds = positiveOf(call.values, 'seconds')
    if (changes !== undefined) refuseBad(changeGraph(graph, { nodes: changes }))
    const predictions: Predictions = {
      graph: graph.name,
      problems,
      ...predict(graph, cores),
      ...(measurements === undefined ? {} : { explanation: explain(declared, measurements, { cores }) }),
      ...(seconds === undefined ? {} : { forecast: forecast(graph, { seconds, cores }) }),
      ...(changes === undefined ? {} : { whatIf: whatIf(graph, { nodes: changes }, { cores }) }),
    }
    const asJson = call.values['json'] === true
    call.output.print(asJson ? JSON.stringify(predictions, undefined, 2) : simulationText(predictions, call.output))
    return code
  },
}

function predict(graph: GraphData, cores: number): Omit<Predictions, 'graph' | 'problems'> {
  const options = { cores }
  return {
    simulation: simulateGraph(graph, options),
    bottlenecks: bottlenecks(graph, options),
    maxRate: maxRate(graph, options),
    latency: latency(graph, options),
    retryLoops: retryLoops(graph, options),
    sizing: sizing(graph, options),
  }
}

/** `NODE.OPTION=VALUE`: the id may hold dots, the option and the value may not hold what parts them. */
function changesOf(texts: readonly string[]): Record<string, object> | undefined {
  if (texts.length === 0) return undefined
  const changes = new Map<string, Record<string, unknown>>()
  for (const text of texts) {
    const [, node, option, value] = /^(.+)\.(\w+)=(.*)$/s.exec(text) ?? []
    if (node === undefined || option === undefined || value === undefined) {
      throw new UsageError(`--set takes NODE.OPTION=VALUE, not ${JSON.stringify(text)}.`)
    }
    changes.set(node, { ...changes.get(node), [option]: valueOf(value) })
  }
  return Object.fromEntries(changes)
}

/** Numbers, booleans and null as JSON has them; anything else is a text. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

/** A change that makes the graph wrong is a wrong use of the command. */
function refuseBad(graph: GraphData): void {
  const first = validate(graph).find(({ severity }) => severity === 'error')
  if (first !== undefined) throw new UsageError(`--set: ${first.message} ${first.fix}`)
}
