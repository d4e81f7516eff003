import { monotonicMs } from '../../time.ts'

/** How many cores the process has used since the last look, all of its threads together. */
export class CoreUsage {
  #usage = process.cpuUsage()
  #atMs = monotonicMs()

  look(): number {
    const { user, system } = process.cpuUsage(this.#usage)
    const tookMs = monotonicMs() - this.#atMs
    this.#usage = process.cpuUsage()
    this.#atMs += tookMs
    return tookMs <= 0 ? 0 : (user + system) / 1_000 / tookMs
  }
}
