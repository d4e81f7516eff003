/** What ends a worker: everything that it does from here on reaches nobody. */
export class Death extends Error {
  override name = 'Death'
}

/**
 * Ends the worker that runs after so many atomic stores, or in the middle of the user's code. There is one thread, so one
 * fuse: it is lit for a step of one worker, and taken out after it.
 */
class Fuse {
  /** Told at the very moment of a death. */
  onDeath: () => void = () => undefined
  isDead = false
  /** Stores so far, of all workers. */
  burnt = 0
  #stores = Infinity
  #visits = Infinity

  /** @param stores after which the worker ends; @param visits of its handlers, after which it ends */
  light({ stores = Infinity, visits = Infinity }: { stores?: number; visits?: number }): void {
    this.#stores = stores
    this.#visits = visits
  }

  takeOut(): void {
    this.light({})
    this.isDead = false
  }

  /** Called before every atomic store. */
  store(): void {
    this.exchange()
    this.burnt++
  }

  /** Called before an atomic exchange: a worker that keeps its rate limit up with the clock tells nobody anything by it. */
  exchange(): void {
    if (this.isDead || --this.#stores < 0) this.die()
  }

  /** Called by the user's code wherever a death could come. */
  visit(): void {
    if (this.isDead || --this.#visits < 0) this.die()
  }

  die(): never {
    if (!this.isDead) {
      this.isDead = true
      this.onDeath()
    }
    throw new Death('the worker ends here')
  }
}

export const fuse = new Fuse()
