import { complain, notice } from './notices.ts'

const PAUSE_MS = 1_000

/**
 * Looks at something again and again while the page is visible: a second after the look before has ended, so that a slow server
 * is not asked twice. What fails is told, and taken back once a look succeeds.
 */
export class Poll {
  readonly #look: () => Promise<void>
  #timer: ReturnType<typeof setTimeout> | undefined
  #looking: Promise<void> | undefined
  #isOpen = false
  #isLost = false

  constructor(look: () => Promise<void>) {
    this.#look = look
    document.addEventListener('visibilitychange', () => {
      if (this.#isOpen && !document.hidden) void this.now()
    })
  }

  open(): void {
    this.#isOpen = true
    void this.now()
  }

  close(): void {
    this.#isOpen = false
    clearTimeout(this.#timer)
  }

  /** Looks at once: a look that is under way may have asked too early to know. */
  async now(): Promise<void> {
    while (this.#looking !== undefined) await this.#looking
    clearTimeout(this.#timer)
    this.#looking = this.#once()
    await this.#looking
    this.#looking = undefined
    clearTimeout(this.#timer)
    if (this.#isOpen) this.#timer = setTimeout(() => void (document.hidden || this.now()), PAUSE_MS)
  }

  async #once(): Promise<void> {
    try {
      await this.#look()
      if (this.#isLost) notice('')
      this.#isLost = false
    } catch (error) {
      this.#isLost = true
      await complain(error)
    }
  }
}
