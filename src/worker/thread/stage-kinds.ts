import type { StagePlan } from '../../plan/types.ts'
import type { Parts, Stage } from '../stage.ts'

/** Loads the code of a stage's kind, and of no other: what a thread does not need would make its start longer. */
export async function loadStage({ kind, input }: StagePlan): Promise<new (parts: Parts) => Stage> {
  if (kind === 'source') return (await import('../stages/source.ts')).SourceStage
  if (input!.batch === undefined) return (await import('../stages/records.ts')).RecordStage
  const isKept = input!.batch.keyed || input!.batch.weighed || input!.maxInFlight > 1
  return isKept
    ? (await import('../stages/keyed-batches.ts')).KeyedBatchStage
    : (await import('../stages/batches.ts')).BatchStage
}
