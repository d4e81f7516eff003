import type { Request } from './request.ts'
import type { Place, RequestTable } from './table.ts'

/** The lines of the request table, and who has them. */
export class Places {
  readonly #table: RequestTable
  readonly #free: number[]
  readonly #holders: (Request | undefined)[]

  constructor(table: RequestTable, count: number) {
    this.#table = table
    this.#free = Array.from({ length: count }, (_, i) => count - 1 - i)
    this.#holders = new Array<Request | undefined>(count).fill(undefined)
  }

  /** Gives a free line to a request. @returns undefined where there is none */
  take(request: Request): Place | undefined {
    const at = this.#free.pop()
    if (at === undefined) return undefined
    this.#holders[at] = request
    return this.#table.open(at)
  }

  /** Nothing of its holder is left in the pipeline. */
  leave(place: Place): void {
    this.#holders[place.at] = undefined
    this.#table.close(place)
    this.#free.push(place.at)
  }

  /** Who has a line, if it is the request with this id. */
  holder(at: number, id: string): Request | undefined {
    const holder = this.#holders[at]
    return holder?.id === id ? holder : undefined
  }
}
