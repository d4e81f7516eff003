import type { GraphData } from 'millrace'
import { type NatsSourceOptions, natsSink, natsSource } from 'millrace/nats'
import { type Item, outGraph, type WorkParams, workGraph } from '../work.js'

export function natsIn(params: WorkParams): GraphData {
  const source = natsSource<Item>(params.options as NatsSourceOptions<Item>)
  return workGraph('nats-in', import.meta.url, source, params)
}

export function natsOut(params: WorkParams): GraphData {
  return outGraph('nats-out', import.meta.url, natsSink<Item>(params.options), params)
}
