import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { dataflow, handleSignals, run } from 'millrace'
import { until } from '../run/harness.js'

interface Line {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

class Service implements Disposable {
  readonly lines: Line[] = []
  readonly exited: Promise<[code: number | null]>
  readonly #process: ChildProcess

  constructor(env: Readonly<Record<string, string>> = {}) {
    const file = fileURLToPath(new URL('signal-service.js', import.meta.url))
    this.#process = spawn(process.execPath, [file], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.exited = once(this.#process, 'exit') as Promise<[number | null]>
    createInterface(this.#process.stdout!).on('line', (line) => this.lines.push(JSON.parse(line) as Line))
  }

  async url(): Promise<string> {
    const found = (): string | undefined =>
      this.lines.map(({ msg }) => /http:\/\/127\.0\.0\.1:\d+/.exec(msg)?.[0]).find((url) => url !== undefined)
    await until(() => found() !== undefined, 'the service listens')
    return found()!
  }

  signal(): void {
    this.#process.kill('SIGTERM')
  }

  has(msg: string): boolean {
    return this.lines.some((line) => line.msg === msg)
  }

  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL')
  }
}

test('at SIGTERM a request that is open is answered through the pipeline, then it drains, and the process exits with 0', async () => {
  using service = new Service()
  const url = await service.url()
  const answer = fetch(`${url}/square`)
  await until(() => service.lines.filter(({ msg }) => msg === 'incoming request').length === 1, 'the request is there')
  service.signal()
  assert.deepEqual(await (await answer).json(), { square: 49 })
  assert.deepEqual((await service.exited)[0], 0)
  const drained = service.lines.find(({ msg }) => msg === 'process.drained')!
  assert.equal((drained['report'] as { acked: number }).acked, 1)
})

test('readiness is false at once, while requests are served for as long as a load balancer needs', async () => {
  using service = new Service({ DELAY_MS: '20000' })
  const url = await service.url()
  assert.equal((await fetch(`${url}/millrace/ready`)).status, 200)
  service.signal()
  await until(() => service.has('process.signal'), 'the signal is there')
  const ready = await fetch(`${url}/millrace/ready`)
  assert.equal(ready.status, 503)
  assert.match(await ready.text(), /about to end/)
  assert.equal((await fetch(`${url}/millrace/health`)).status, 200)
  assert.deepEqual(await (await fetch(`${url}/square`)).json(), { square: 49 })
  // A second signal waits for nothing.
  service.signal()
  assert.deepEqual((await service.exited)[0], 0)
})

test('log lines are as pino has them: a level, the name of the event as text, the limits of the process first', async () => {
  using service = new Service()
  await service.url()
  const limits = service.lines.find(({ msg }) => msg === 'pipeline.limits')!
  assert.equal(limits.level, 30)
  assert.equal(limits['pipeline'], 'service')
  for (const field of ['cores', 'availableBytes', 'workers', 'sharedBytes'])
    assert.ok((limits[field] as number) > 0, field)
})

test('what hangs does not keep the process beyond its grace period, and it exits with 1', async () => {
  const stuck = dataflow('stuck').source('in', { push: true }).sink('out').connect('in', 'out')
  const pipeline = await run(stuck)
  const codes: number[] = []
  using handler = handleSignals(pipeline, {
    signals: ['SIGUSR2'],
    graceMs: 200,
    exit: (code) => void codes.push(code),
    server: { close: () => new Promise(() => undefined) },
  })
  assert.ok(handler.isReady)
  // Nobody reads the output, so the record stays where it is.
  await pipeline.push('in', 1)
  process.kill(process.pid, 'SIGUSR2')
  await until(() => codes.length > 0, 'it exits')
  assert.ok(!handler.isReady)
  const report = await pipeline.finished
  assert.equal(report.abandoned, 1)
})

test('options of signals are refused all at once', async () => {
  const graph = dataflow('small').source('in', { push: true }).sink('out').connect('in', 'out')
  await using pipeline = await run(graph)
  assert.throws(() => handleSignals(pipeline, { graceMs: -1, delayMs: -1 }), { code: 'OPTIONS_INVALID' })
})
