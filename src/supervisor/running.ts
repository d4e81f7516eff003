import type { Pipeline } from './pipeline.ts'

const running = new Set<Pipeline>()

/** The pipelines of this process that have started and not yet ended, the oldest first. Those of a flow are among them. */
export function pipelines(): readonly Pipeline[] {
  return [...running]
}

/** Lists a pipeline until it ends. */
export function listed(pipeline: Pipeline): Pipeline {
  const forget = (): void => void running.delete(pipeline)
  running.add(pipeline)
  pipeline.finished.then(forget, forget)
  return pipeline
}
