import type { GraphData } from 'millrace'
import { type PostgresSinkOptions, type PostgresSourceOptions, postgresSink, postgresSource } from 'millrace/postgres'
import { type Item, outGraph, type WorkParams, workGraph } from '../work.js'

export function postgresIn(params: WorkParams): GraphData {
  const source = postgresSource<Item>(params.options as PostgresSourceOptions<Item>)
  return workGraph('postgres-in', import.meta.url, source, params)
}

export function postgresOut(params: WorkParams): GraphData {
  return outGraph('postgres-out', import.meta.url, postgresSink(params.options as PostgresSinkOptions), params)
}
