/** A product in which nothing times anything is nothing, infinity included. */
export function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b
}
