/** Handlers that graphs name by module and export. */
import type { Context } from 'millrace'

export function* produce(): Generator<number> {
  for (let i = 0; i < 300; i++) yield i
}
export const setup = (): { by: number } => ({ by: 1_000 })
export const key = (n: number): number => n % 5
export const add = (n: number, { state }: Context<{ by: number }>): number => n + state.by
export const parity = (n: number): string => (n % 2 === 0 ? 'even' : 'odd')
export const together = (batch: number[]): number[][] => [batch]
