import type { GraphData } from 'millrace'
import { type HttpSinkOptions, httpSink, type WebhookOptions, webhookSource } from 'millrace/http'
import { type Item, outGraph, type WorkParams, workGraph } from '../work.js'

export function httpIn(params: WorkParams): GraphData {
  return workGraph('http-in', import.meta.url, webhookSource<Item>(params.options as WebhookOptions<Item>), params)
}

export function httpOut(params: WorkParams): GraphData {
  return outGraph('http-out', import.meta.url, httpSink<Item>(params.options as HttpSinkOptions<Item>), params)
}
