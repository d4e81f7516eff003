import { clearTimeout, setTimeout, wallMs } from '../time.ts'

/** The clock may be set, and a machine may sleep: it is looked at again after so long. */
const LOOK_MS = 30_000

/** Wakes whoever waits for a time, before that too. */
export class Alarm {
  #isRung = false
  #wake: () => void = () => undefined

  ring(): void {
    this.#isRung = true
    this.#wake()
  }

  /** Resolves at a time, when it was rung since the last wait, or when the signal aborts. @param ms milliseconds since 1970 */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    for (let leftMs = ms - wallMs(); leftMs > 0 && !this.#isRung && !signal.aborted; leftMs = ms - wallMs())
      await this.#look(Math.min(leftMs, LOOK_MS), signal)
    this.#isRung = false
  }

  #look(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve) => {
      const timer = setTimeout(done, ms)
      this.#wake = done
      function done(): void {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done)
    })
  }
}
