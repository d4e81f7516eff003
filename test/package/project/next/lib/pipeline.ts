import { type Pipeline, run } from 'millrace'
import { graph } from './graph.mjs'

declare global {
  var pipeline: Promise<Pipeline> | undefined
}

/** One pipeline in a process, however often a module is loaded. */
export const pipeline = (): Promise<Pipeline> => (globalThis.pipeline ??= run(graph))
