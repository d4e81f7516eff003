import type { GraphData } from 'millrace'
import { type RabbitmqSourceOptions, rabbitmqSink, rabbitmqSource } from 'millrace/rabbitmq'
import { type Item, outGraph, type WorkParams, workGraph } from '../work.js'

export function rabbitmqIn(params: WorkParams): GraphData {
  const source = rabbitmqSource<Item>(params.options as RabbitmqSourceOptions<Item>)
  return workGraph('rabbitmq-in', import.meta.url, source, params)
}

export function rabbitmqOut(params: WorkParams): GraphData {
  return outGraph('rabbitmq-out', import.meta.url, rabbitmqSink<Item>(params.options), params)
}
