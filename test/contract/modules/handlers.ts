export function work(n: number): number {
  return n
}
