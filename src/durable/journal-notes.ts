import type { GroupWriter, KeptCursor } from './entries.ts'

/**
 * What waits for a group that is written anyway: which records have ended, and where sources are. Where it is lost, more is delivered
 * again, and nothing is missing.
 */
export class JournalNotes {
  readonly #cursors = new Map<string, KeptCursor>()
  #ended: number[] = []
  #moved = new Set<string>()

  /** @param cursors that an earlier process has kept */
  constructor(cursors: readonly KeptCursor[]) {
    for (const cursor of cursors) this.#cursors.set(keyOf(cursor), cursor)
  }

  get cursors(): readonly KeptCursor[] {
    return [...this.#cursors.values()]
  }

  get isEmpty(): boolean {
    return this.#ended.length === 0 && this.#moved.size === 0
  }

  end(number: number): void {
    this.#ended.push(number)
  }

  move(cursor: KeptCursor): void {
    const key = keyOf(cursor)
    this.#cursors.set(key, cursor)
    this.#moved.add(key)
  }

  /** Writes all of it, behind the records of the group. @returns what takes it back, where the group is not written */
  write(writer: GroupWriter): () => void {
    const ended = this.#ended
    const moved = this.#moved
    this.#ended = []
    this.#moved = new Set()
    if (ended.length > 0) writer.ended(ended)
    for (const key of moved) writer.cursor(this.#cursors.get(key)!)
    return () => {
      for (const number of ended) this.#ended.push(number)
      for (const key of moved) this.#moved.add(key)
    }
  }
}

function keyOf({ node, worker }: KeptCursor): string {
  return `${worker} ${node}`
}
