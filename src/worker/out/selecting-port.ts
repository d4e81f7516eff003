import type { Port } from './node-outlet.ts'

/** An edge that takes the records that its `selector` picks. What the selector says follows from the record, so a replay says the same. */
export class SelectingPort implements Port {
  readonly #port: Port
  readonly #select: (value: unknown) => boolean
  readonly #fail: (value: unknown, origin: number, error: unknown) => void

  /** @param fail gives up a record whose selector threw */
  constructor(
    port: Port,
    select: (value: unknown) => boolean,
    fail: (value: unknown, origin: number, error: unknown) => void,
  ) {
    this.#port = port
    this.#select = select
    this.#fail = fail
  }

  send(value: unknown, origin: number): void {
    let isTaken: boolean
    try {
      isTaken = this.#select(value)
    } catch (error) {
      return this.#fail(value, origin, error)
    }
    if (isTaken) this.#port.send(value, origin)
  }

  sendRun(values: ArrayLike<unknown>, from: number, to: number): void {
    for (let i = from; i < to; i++) this.send(values[i], i)
  }
}
