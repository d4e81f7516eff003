import type { Slots } from '../../lane/slots.ts'
import type { Markers } from '../in/markers.ts'
import type { Outlet } from '../out/outlet.ts'
import type { Progress } from './progress.ts'

/** A source's side of the flushes: it says their markers behind all that it has handed on, and then waits for the ends of that: M3. */
export class Flushes {
  readonly #parts: { markers: Markers; outlet: Outlet; slots: Slots; progress: Progress }
  /** Flushes whose marker was said, and the chunk behind it. */
  readonly #said: { readonly number: number; readonly before: number }[] = []

  constructor(parts: { markers: Markers; outlet: Outlet; slots: Slots; progress: Progress }) {
    this.#parts = parts
    parts.markers.passed = parts.progress.flushed
  }

  /** @returns whether something is to be handed off */
  step(): boolean {
    const { markers, outlet, progress } = this.#parts
    const asked = markers.asked
    let isNews = false
    if (asked !== markers.passed) {
      markers.passed = asked
      outlet.putMarker(asked)
      this.#said.push({ number: asked, before: progress.sequence })
      isNews = true
    }
    while (this.#said.length > 0 && !this.#isOpenBefore(this.#said[0]!.before)) {
      progress.flushed = this.#said.shift()!.number
      isNews = true
    }
    return isNews
  }

  #isOpenBefore(sequence: number): boolean {
    const { slots } = this.#parts
    for (let slot = 0; slot < slots.capacity; slot++)
      if (slots.count(slot) > 0 && ((slots.sequence(slot) - sequence) | 0) < 0) return true
    return false
  }
}
