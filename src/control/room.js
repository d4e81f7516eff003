import { MillraceError } from '../errors.js'
/** @throws PIPELINE_UNKNOWN */
export function watchedOf({ pipelines }, name) {
  const found = pipelines.get(name)
  if (found === undefined) throw new MillraceError('PIPELINE_UNKNOWN', { pipeline: name })
  return found
}
/** @throws PIPELINE_UNKNOWN, PIPELINE_STARTING, or why it was not started */
export function runningOf(room, name) {
  return watchedOf(room, name).running
}
