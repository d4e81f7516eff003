import { type Group, orderOf } from './groups.ts'

/** When a batch may start, and when what came of it may be sent. A batch that waits for another attempt keeps its place. */
export interface BatchOrder {
  /** A batch is complete. @param line batches of one line keep their order */
  enter(group: Group, line: unknown): void
  mayStart(group: Group): boolean
  maySend(group: Group): boolean
  /** A batch is done, but for records of it that are batches of their own now. */
  replace(group: Group, singles: readonly Group[]): void
}

/** No order: batches start as they are complete and are sent as they end. */
export const anyOrder: BatchOrder = {
  enter: () => undefined,
  mayStart: () => true,
  maySend: () => true,
  replace: () => undefined,
}

/** Batches of one line, oldest first. */
class Lines {
  readonly #lines = new Map<unknown, Group[]>()
  readonly #lineOf = new Map<Group, unknown>()

  enter(group: Group, line: unknown): void {
    this.#lineOf.set(group, line)
    const groups = this.#lines.get(line)
    if (groups === undefined) this.#lines.set(line, [group])
    else {
      groups.push(group)
      groups.sort(orderOf)
    }
  }

  /** Whether no older batch of its line is left. One that goes by itself has no line. */
  isFirst(group: Group): boolean {
    return !this.#lineOf.has(group) || this.#lines.get(this.#lineOf.get(group))![0] === group
  }

  replace(group: Group, singles: readonly Group[]): void {
    if (!this.#lineOf.has(group)) return
    const line = this.#lineOf.get(group)
    this.#lineOf.delete(group)
    const groups = this.#lines.get(line)!
    groups.splice(groups.indexOf(group), 1)
    for (const single of singles) this.enter(single, line)
    if (this.#lines.get(line)!.length === 0) this.#lines.delete(line)
  }
}

/** The order of the input: calls overlap, what comes of them does not. */
export class SendOrder implements BatchOrder {
  readonly #lines = new Lines()

  enter(group: Group): void {
    this.#lines.enter(group, undefined)
  }

  mayStart(): boolean {
    return true
  }

  maySend(group: Group): boolean {
    return this.#lines.isFirst(group)
  }

  replace(group: Group, singles: readonly Group[]): void {
    this.#lines.replace(group, singles)
  }
}

/** The order of each key: one batch of it at a time, while other keys go on. */
export class LineOrder implements BatchOrder {
  readonly #lines = new Lines()

  enter(group: Group, line: unknown): void {
    this.#lines.enter(group, line)
  }

  mayStart(group: Group): boolean {
    return this.#lines.isFirst(group)
  }

  maySend(): boolean {
    return true
  }

  replace(group: Group, singles: readonly Group[]): void {
    this.#lines.replace(group, singles)
  }
}
