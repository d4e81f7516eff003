/** What ends a worker: everything that it does from here on reaches nobody. */
export class WorkerDeath extends Error {
  override name = 'WorkerDeath'
}

/**
 * Ends the worker that runs at one of its instants: in the user's code, at a hand-off, or, where atomics are counted too (the
 * library's own net), at any of its stores. There is one thread, so one fuse.
 */
class Fuse {
  /** Told at the very moment of a death. */
  onDeath: () => void = () => undefined
  isDead = false
  /** Instants so far, of all workers. */
  visits = 0
  #storesLeft = Infinity
  #visitsLeft = Infinity

  /** @param stores after which the worker ends; @param visits after which it ends */
  light({ stores = Infinity, visits = Infinity }: { stores?: number; visits?: number }): void {
    this.#storesLeft = stores
    this.#visitsLeft = visits
  }

  takeOut(): void {
    this.light({})
    this.isDead = false
  }

  /** Called before an atomic access by which a worker tells others something. */
  store(): void {
    if (this.isDead || --this.#storesLeft < 0) this.die()
  }

  /** Called wherever a death could come: before and after the user's functions, and hand-offs. */
  visit(): void {
    this.visits++
    if (this.isDead || --this.#visitsLeft < 0) this.die()
  }

  die(): never {
    if (!this.isDead) {
      this.isDead = true
      this.onDeath()
    }
    throw new WorkerDeath('the worker ends here')
  }
}

export const fuse = new Fuse()
