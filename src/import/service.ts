/** Imports of one directory, whenever they are due, for as long as a process serves: `millrace import serve`, and what the page shows. */
import { realpath } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { monotonicMs } from '../time.ts'
import { Alarm } from './alarm.ts'
import { importDirectory } from './import-directory.ts'
import type { ImportOptions, Progress } from './options.ts'
import { ImportProblem, messageOf } from './problem.ts'
import { openSchedule } from './schedule.ts'
import { serve } from './serve.ts'
import { ServiceBooks, type ServiceHistory } from './service-books.ts'
import { type Summary, summarize } from './summary.ts'
import { timeLeftMs } from './time-left.ts'
import { watchDirectory } from './watch.ts'
import { tellProblem, tellWebhook } from './webhook.ts'

export interface ImportServiceOptions extends Omit<ImportOptions, 'signal' | 'files' | 'kinds'> {
  /** When imports are due: a cron expression of five fields, or six with seconds in front. Default: when asked, or by `watch`. */
  readonly cron?: string | undefined
  /** Of `cron`: an IANA name. Default: that of the process. */
  readonly timeZone?: string | undefined
  /** Whether the first run, and one that was due while nobody served, is made up for at once. Default: true. */
  readonly makesUp?: boolean
  /** Imports when files below the directory have changed, too. Default: false. */
  readonly watch?: boolean
  /** With `watch`: how long nothing may change before it imports, in milliseconds. Default: 2,000. */
  readonly settleMs?: number | undefined
  /** Address that gets a POST with JSON about failures, schema changes and dead letters. Default: as declared. */
  readonly webhook?: string | undefined
  /** Makes a run. Default: `importDirectory`, and then `onRun` and the webhook are told. */
  readonly importing?: (options: ImportOptions) => Promise<unknown>
  /** Told of each run. */
  readonly onRun?: (summary: Summary) => void
  /** Told of what ended a run before it began, and of what could not be told. */
  readonly onProblem?: (problem: string) => void
  /** Told until when it waits, in milliseconds since 1970; undefined: until it is asked, or files change. */
  readonly onWaiting?: (untilMs: number | undefined) => void
  /** Closes the service when aborted. */
  readonly signal?: AbortSignal
}

/** How a service fares. */
export interface ImportServiceView extends ServiceHistory {
  /** As it was given or declared; else the directory's name. */
  readonly source: string
  readonly directory: string
  readonly state: 'waiting' | 'running' | 'paused' | 'closed'
  /** ISO 8601; null if none is due. */
  readonly nextRun: string | null
  /** Of the run that is under way. */
  readonly progress: (Progress & { readonly leftMs: number | null }) | null
  /** What ended the last run before it was in the books. */
  readonly problem: string | null
}

/** Imports a directory by a schedule, when it changes, and when it is asked to: one run after the other. */
export class ImportService implements AsyncDisposable {
  readonly #options: ImportServiceOptions
  readonly #books: ServiceBooks
  readonly #alarm = new Alarm()
  readonly #stop = new AbortController()
  /** Kinds that the next run is for; undefined: for all. */
  #asked: { readonly kinds?: ReadonlySet<string> } | undefined
  /** Of these the books do not know yet. */
  #pauses = new Map<string, boolean>()
  #history: ServiceHistory = { kinds: [], runs: [] }
  #isRunning = false
  #isPaused = false
  /** Files did, since the last run began. */
  #hasChanged = false
  #nextMs: number | undefined
  #progress: Progress | undefined
  #phaseMs = 0
  #problem: string | undefined
  #ended: Promise<void> = Promise.resolve()

  private constructor(options: ImportServiceOptions) {
    this.#options = options
    this.#books = new ServiceBooks(options)
  }

  /** @throws ImportProblem where the directory cannot be read, the schedule makes no sense, or a package is missing */
  static async open(options: ImportServiceOptions): Promise<ImportService> {
    const directory = await realpath(resolve(options.directory)).catch((error: unknown) => {
      const reason = `The directory ${options.directory} cannot be read: ${messageOf(error)}`
      throw new ImportProblem(reason, { cause: error })
    })
    const service = new ImportService({ ...options, directory })
    await service.#start()
    return service
  }

  async #start(): Promise<void> {
    const { directory, cron, timeZone, watch, settleMs, signal, makesUp = true } = this.#options
    const schedule = cron === undefined ? undefined : await openSchedule(cron, timeZone)
    const onChange = (): void => {
      this.#hasChanged = true
      this.#alarm.ring()
    }
    const watching = { directory, settleMs, onChange, onProblem: (problem: string) => this.#complain(problem) }
    const unwatch = watch === true ? await watchDirectory(watching) : undefined
    signal?.addEventListener('abort', () => this.#stop.abort(), { once: true })
    if (signal?.aborted === true) this.#stop.abort()
    await this.#refresh()
    const last = this.#history.runs[0]
    const service = serve({
      schedule,
      alarm: this.#alarm,
      // Nobody has imported it yet, or nobody can say: with neither schedule nor watch somebody will ask.
      lastRunMs: last === undefined ? undefined : Date.parse(last.started),
      makesUp: makesUp && (schedule !== undefined || watch === true),
      run: (isDue) => this.#run(isDue),
      onProblem: (error) => this.#complain(error instanceof Error ? (error.stack ?? error.message) : String(error)),
      onWaiting: (untilMs) => this.#wait(untilMs),
      signal: this.#stop.signal,
    })
    this.#ended = service.finally(() => void unwatch?.().catch(() => undefined))
  }

  /** How it fares, from memory: nothing is asked. */
  get view(): ImportServiceView {
    const { kinds, runs } = this.#history
    return {
      source: this.#books.source ?? basename(this.#options.directory),
      directory: this.#options.directory,
      state: this.#state,
      nextRun: this.#nextMs === undefined || this.#isPaused ? null : new Date(this.#nextMs).toISOString(),
      progress: this.#progressView,
      problem: this.#problem ?? null,
      kinds,
      runs,
    }
  }

  get #progressView(): ImportServiceView['progress'] {
    const now = this.#progress
    if (now === undefined) return null
    return { ...now, leftMs: timeLeftMs(now, monotonicMs() - this.#phaseMs) ?? null }
  }

  get #state(): ImportServiceView['state'] {
    if (this.#isRunning) return 'running'
    if (this.#stop.signal.aborted) return 'closed'
    return this.#isPaused ? 'paused' : 'waiting'
  }

  /** Resolves when the service has ended: nothing of it runs any more. */
  get ended(): Promise<void> {
    return this.#ended
  }

  /**
   * Imports now, or behind the run that is under way, paused or not.
   * @param kind this one alone. Default: all that are not paused
   * @returns false where there is no such kind
   */
  run(kind?: string): boolean {
    if (kind !== undefined && !this.#knows(kind)) return false
    const kinds = kind === undefined ? undefined : new Set([...(this.#asked?.kinds ?? []), kind])
    const isForAll = kinds === undefined || (this.#asked !== undefined && this.#asked.kinds === undefined)
    this.#asked = isForAll ? {} : { kinds }
    this.#alarm.ring()
    return true
  }

  /**
   * Makes no run by itself until it is resumed; a run that is under way goes on.
   * @param kind leaves this one out of every run, other processes' too: the books keep it. Default: the service
   * @returns false where there is no such kind
   */
  pause(kind?: string): boolean {
    return this.#setPaused(true, kind)
  }

  /** @returns false where there is no such kind */
  resume(kind?: string): boolean {
    return this.#setPaused(false, kind)
  }

  #setPaused(isPaused: boolean, kind?: string): boolean {
    if (kind !== undefined && !this.#knows(kind)) return false
    if (kind === undefined) this.#isPaused = isPaused
    else {
      this.#pauses.set(kind, isPaused)
      const kinds = this.#history.kinds.map((each) => (each.name === kind ? { ...each, isPaused } : each))
      this.#history = { ...this.#history, kinds }
    }
    this.#alarm.ring()
    return true
  }

  #knows(kind: string): boolean {
    return this.#history.kinds.some(({ name }) => name === kind)
  }

  /** Makes no more runs, and resolves when the one that is under way has ended. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #wait(untilMs: number | undefined): void {
    this.#nextMs = untilMs
    this.#options.onWaiting?.(untilMs)
  }

  async #run(isDue: boolean): Promise<void> {
    await this.#writePauses()
    const asked = this.#asked
    this.#asked = undefined
    if (asked === undefined && (this.#isPaused || !(isDue || this.#hasChanged))) return
    this.#hasChanged = false
    this.#isRunning = true
    this.#problem = undefined
    try {
      await this.#import(asked?.kinds)
    } finally {
      this.#progress = undefined
      await this.#writePauses()
      await this.#refresh()
      this.#isRunning = false
    }
  }

  async #import(kinds: ReadonlySet<string> | undefined): Promise<void> {
    const { importing, webhook, ...options } = this.#options
    const given: ImportOptions = {
      ...options,
      ...(kinds === undefined ? {} : { kinds: [...kinds] }),
      signal: this.#stop.signal,
      onProgress: (progress) => {
        if (progress.phase !== this.#progress?.phase) this.#phaseMs = monotonicMs()
        this.#progress = progress
        options.onProgress?.(progress)
      },
    }
    if (importing !== undefined) {
      await importing(given)
      return
    }
    let untold: string | undefined
    try {
      const result = await importDirectory(given)
      const summary = summarize(result)
      options.onRun?.(summary)
      const address = webhook ?? result.webhook
      if (address !== undefined) untold = await tellWebhook(address, summary)
    } catch (error) {
      if (!(error instanceof ImportProblem)) throw error
      this.#complain(error.message)
      if (webhook !== undefined) untold = await tellProblem(webhook, error)
    }
    if (untold !== undefined) options.onProblem?.(untold)
  }

  /** What cannot be asked now stays as it was told last. */
  async #refresh(): Promise<void> {
    try {
      this.#history = await this.#books.read()
    } catch (error) {
      this.#complain(messageOf(error))
    }
  }

  async #writePauses(): Promise<void> {
    const pauses = this.#pauses
    this.#pauses = new Map()
    try {
      await this.#books.pause(pauses)
    } catch (error) {
      // They are written before the next run.
      this.#pauses = new Map([...pauses, ...this.#pauses])
      this.#complain(messageOf(error))
    }
  }

  #complain(problem: string): void {
    this.#problem = problem
    this.#options.onProblem?.(problem)
  }
}
