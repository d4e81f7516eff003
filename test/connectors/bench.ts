/** One test after the other, each with a queue and a folder of its own. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type GraphMaker, MillraceError, type Pipeline, run } from 'millrace'
import { Proxy } from './proxy.js'
import { type WorkParams, numbersOf } from './work.js'

/** A module of graphs, which workers and other processes load, and one maker in it. */
export interface MakerUnderTest {
  readonly module: string
  readonly maker: string
}

/** A queue or a place at a server, made for one test. */
export interface QueueUnderTest {
  /** Options that reach it by a port. What a process that was killed had is given to others in an hour, or in about a second. */
  options(port: number, redeliversSoon?: boolean): object
  /** Sources: puts messages in. */
  send(texts: readonly string[]): Promise<void>
  /** Sources: messages that are delivered and not settled, where the server knows. */
  unsettled?(): Promise<number>
  /** Sources: messages that are not done: waiting, or not settled. */
  left(): Promise<number>
  /** Sinks: what has come. */
  received(): Promise<readonly string[]>
}

/** A server with a client of the tests' own. */
export interface ServerUnderTest {
  /** Where it listens; files are reached without. */
  readonly port?: number
  queue(): Promise<QueueUnderTest>
  /** Options as given, but with credentials that are wrong. */
  withWrongCredentials?(options: object): object
  /** Options as given, but for a queue that does not exist; where there is such a thing. */
  withoutQueue?(options: object): object
  close(): Promise<void>
}

export interface Suite extends MakerUnderTest {
  readonly name: string
  /** Finds or starts a server. @returns why there is none */
  start(): Promise<ServerUnderTest | string>
  /** Which of the tests run: those that start further processes, or wait for time-outs of the server, are long. */
  readonly isLong?: boolean
  /** Instead, those that wait for minutes. */
  readonly isSoak?: boolean
  /** There is no server, and no connection to it. */
  readonly isLocal?: boolean
  /** Only whoever sends a message knows how often it was delivered. */
  readonly isUncounted?: boolean
  /** A sink that stores what is written twice once. */
  readonly isExactlyOnce?: boolean
}

const WAIT_MS = Number(process.env['WAIT_MS'] ?? 60_000)

export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const start = performance.now(); !(await holds());) {
    assert.ok(performance.now() - start < WAIT_MS, `in time: ${what}`)
    await sleep(10)
  }
}

export function items(from: number, to: number, more: object = {}): string[] {
  return Array.from({ length: to - from }, (_, i) => JSON.stringify({ n: from + i, ...more }))
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

export class Bench {
  readonly suite: Suite
  server!: ServerUnderTest
  /** Why there is no server. */
  reason: string | undefined

  constructor(suite: Suite) {
    this.suite = suite
    before(async () => {
      const started = await suite.start()
      if (typeof started === 'string') this.reason = started
      else this.server = started
    })
    after(() => this.server?.close())
  }

  longTest(what: string, act: (given: Case) => Promise<void>): void {
    if (this.suite.isLong === true) this.#add(what, act)
  }

  test(what: string, act: (given: Case) => Promise<void>): void {
    if (this.suite.isLong !== true && this.suite.isSoak !== true) this.#add(what, act)
  }

  soakTest(what: string, act: (given: Case) => Promise<void>): void {
    if (this.suite.isSoak === true) this.#add(what, act)
  }

  /** Tests of the way to a server, through a proxy: files have none. */
  readonly network = {
    test: (what: string, act: (given: Case) => Promise<void>): void => {
      if (this.suite.isLocal !== true) this.test(what, act)
    },
    longTest: (what: string, act: (given: Case) => Promise<void>): void => {
      if (this.suite.isLocal !== true) this.longTest(what, act)
    },
    soakTest: (what: string, act: (given: Case) => Promise<void>): void => {
      if (this.suite.isLocal !== true) this.soakTest(what, act)
    },
  }

  #add(what: string, act: (given: Case) => Promise<void>): void {
    test(`${this.suite.name}: ${what}`, async (t) => {
      if (this.reason !== undefined) return t.skip(this.reason)
      const folder = mkdtempSync(join(tmpdir(), 'millrace-connector-'))
      t.after(() => rmSync(folder, { recursive: true, force: true }))
      await act(new Case(t, this.suite, this.server, await this.server.queue(), folder))
    })
  }
}

export class Case {
  readonly t: TestContext
  readonly suite: Suite
  readonly server: ServerUnderTest
  readonly queue: QueueUnderTest
  readonly folder: string

  constructor(t: TestContext, suite: Suite, server: ServerUnderTest, queue: QueueUnderTest, folder: string) {
    this.t = t
    this.suite = suite
    this.server = server
    this.queue = queue
    this.folder = folder
  }

  params(
    more: { options?: object; port?: number; hasDead?: boolean; soon?: boolean; chunk?: number } = {},
  ): WorkParams {
    const { port = this.server.port ?? 0, hasDead = false, soon = false, chunk } = more
    return {
      options: { ...this.queue.options(port, soon), ...more.options },
      folder: this.folder,
      hasDead,
      ...(chunk !== undefined && { chunk }),
    }
  }

  async run(params: WorkParams): Promise<Pipeline> {
    const { [this.suite.maker]: maker } = (await import(this.suite.module)) as Record<string, GraphMaker>
    const pipeline = await run(maker!, { params, startDeadlineMs: 30_000 })
    this.t.after(() => pipeline.stop().catch(() => undefined))
    return pipeline
  }

  /** The same in a process of its own. */
  async fork(params: WorkParams): Promise<ChildProcess> {
    const file = fileURLToPath(new URL('./child.js', import.meta.url))
    const child = fork(file, [this.suite.module, this.suite.maker, JSON.stringify(params)])
    this.t.after(() => child.kill('SIGKILL'))
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => assert.fail(`the process ended with ${code}`)),
    ])
    return child
  }

  /** Why a pipeline did not start. */
  async refusal(params: WorkParams): Promise<MillraceError> {
    try {
      await this.run(params)
    } catch (error) {
      assert.ok(error instanceof MillraceError && error.code === 'START_FAILED', String(error))
      return error.cause as MillraceError
    }
    return assert.fail('the pipeline has started')
  }

  proxy(): Promise<Proxy> {
    return Proxy.to(this.server.port!)
  }

  done(): number[] {
    return numbersOf(this.folder, 'done')
  }

  openGate(): void {
    writeFileSync(join(this.folder, 'gate'), '')
  }
}
