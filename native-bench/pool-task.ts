/** The tasks of the pool that competes (`pool.ts`). */
import { PAYLOAD, type Payload, SIX_FIELDS, type SixFields } from './records.ts'
import { steps, work } from './work.ts'

const STEPS = steps()

export const take = (record: SixFields): number => SIX_FIELDS.sumOf(record)
export const map = (record: Payload): Payload => PAYLOAD.map(record)
export function mapWithWork(record: Payload): Payload {
  work(STEPS)
  return PAYLOAD.map(record)
}
export const busy = (steps: number): number => work(steps)
