/**
 * What a module needs that defines a graph, and nothing else: entry point `millrace/graph`. Each worker imports the module of
 * its graph, so it is ready sooner where that module imports this entry point instead of the whole of `millrace`.
 */
export * from './graph.ts'
export { graphToJson, type AnyGraph, type GraphJson } from './json.ts'
export * from './types.ts'
export type { Hop } from './broker.ts'
