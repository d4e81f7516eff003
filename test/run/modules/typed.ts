/** Loaded by workers as it is: TypeScript. */
interface Sign {
  readonly sign: -1 | 1
}

const minus: Sign = { sign: -1 }

export function negated(n: number): number {
  return n * minus.sign
}
