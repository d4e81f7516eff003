import type { GraphData } from 'millrace'
import { type RedisSinkOptions, type RedisSourceOptions, redisSink, redisSource } from 'millrace/redis'
import { type Item, outGraph, type WorkParams, workGraph } from '../work.js'

export function redisIn(params: WorkParams): GraphData {
  const source = redisSource<Item>(params.options as RedisSourceOptions<Item>)
  return workGraph('redis-in', import.meta.url, source, params)
}

export function redisOut(params: WorkParams): GraphData {
  return outGraph('redis-out', import.meta.url, redisSink(params.options as RedisSinkOptions), params)
}
