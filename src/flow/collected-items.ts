import type { DoneStep } from './done-steps.ts'

/** The answer of one item of a `forEach`. */
export interface ItemAnswer {
  /** The `forEach`, with the names of the flows around it. */
  readonly forEach: string
  /** Index of the item, one for each `forEach` around it. */
  readonly path: readonly number[]
  readonly answer: unknown
}

/** The answers of the items of one request, in the order in which they came. */
export class CollectedItems {
  readonly #answers: ItemAnswer[] = []
  readonly #known = new Set<string>()

  /** What was told of this item before stands: a request that goes on after a pause may tell it again. */
  add(forEach: string, path: string, answer: unknown): void {
    const key = forEach + path
    if (this.#known.has(key)) return
    this.#known.add(key)
    this.#answers.push({ forEach, path: path.split('/').slice(1).map(Number), answer })
  }

  /** @param from so many have been seen */
  since(from: number): readonly ItemAnswer[] {
    return this.#answers.slice(from)
  }
}

/** Keeps the answer of an item, if it is one that the step has made. @param ends nodes that make answers of items */
export function collectItem(
  items: CollectedItems | undefined,
  ends: ReadonlyMap<string, string>,
  { step, path, answer, fault, undone }: DoneStep,
): void {
  const forEach = ends.get(step)
  if (forEach === undefined || fault !== undefined || undone !== undefined) return
  items?.add(forEach, path, answer)
}
