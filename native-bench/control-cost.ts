/**
 * What the control API costs: `node build/native-bench/control-cost.js [--rounds N] [--json]`.
 * Throughput of one pipeline, by turns alone and with its API polled at 10 Hz, a reader of server-sent events, and the page
 * open where a Chromium is installed; then the main thread's time for each answer of a pipeline with 50 stages.
 */
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { rehearse, run, type Pipeline } from 'millrace'
import { ControlClient, serveControl } from 'millrace/control'
import { fifty, line } from './control-cost.graph.js'

const { values } = parseArgs({ options: { rounds: { type: 'string' }, json: { type: 'boolean' } } })
const rounds = Number(values.rounds ?? 8)
const ROUND_MS = 4_000
const SETTLE_MS = 500

/** Milliseconds that this thread was on a core: other programs on a busy machine do not count. Linux only; else wall time. */
function mainThreadMs(): number {
  const file = `/proc/self/task/${process.pid}/schedstat`
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[0]) / 1e6 : performance.now()
}

/** Records per second, and the share of a core that the main thread took. */
async function measured(pipeline: Pipeline): Promise<{ rate: number; main: number }> {
  await sleep(SETTLE_MS)
  const [before, cpu, since] = [pipeline.snapshot().nodes['store']!.done, mainThreadMs(), performance.now()]
  await sleep(ROUND_MS)
  const ms = performance.now() - since
  return {
    rate: ((pipeline.snapshot().nodes['store']!.done - before) * 1_000) / ms,
    main: (mainThreadMs() - cpu) / ms,
  }
}

/** Polls, follows and looks at the page until the signal aborts. */
async function watchers(url: string, signal: AbortSignal): Promise<() => Promise<void>> {
  const client = new ControlClient(url)
  const polling = setInterval(() => {
    for (const path of ['stats', 'stages'])
      void fetch(`${url}/pipelines/line/${path}`).then(
        (response) => response.text(),
        () => undefined,
      )
  }, 100)
  const following = (async () => {
    for await (const { name } of client.watch('line', { signal })) void name
  })().catch(() => undefined)
  const chromium = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync)
  const browser =
    chromium === undefined
      ? undefined
      : await (await import('playwright-core')).chromium.launch({ executablePath: chromium, args: ['--no-sandbox'] })
  await (await browser?.newPage())?.goto(url)
  return async () => {
    clearInterval(polling)
    await browser?.close()
    await following
  }
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!
}

const pipeline = await run(line)
const server = await serveControl(pipeline, { port: 0 })
const alone: number[] = []
const watched: number[] = []
const ratios: number[] = []
const main: number[] = []
for (let round = 0; round < rounds; round++) {
  const without = await measured(pipeline)
  const stop = new AbortController()
  const end = await watchers(server.url, stop.signal)
  const withApi = await measured(pipeline)
  stop.abort()
  await end()
  alone.push(without.rate)
  watched.push(withApi.rate)
  ratios.push(withApi.rate / without.rate)
  main.push(withApi.main - without.main)
  if (values.json !== true) {
    const [a, b] = [Math.round(without.rate), Math.round(withApi.rate)]
    console.log(
      `round ${round + 1}: ${a}/s alone, ${b}/s watched; main thread +${(100 * main.at(-1)!).toFixed(1)} % of a core`,
    )
  }
}
await server.close()
await pipeline.stop()

const large = await rehearse(fifty)
const api = await serveControl(large, { port: 0 })
await sleep(3_000)
const answers: Record<string, number> = {}
for (const path of ['stats', 'stages', 'lanes', 'analysis', 'histograms', 'plan', 'graph', 'watch?events=false']) {
  const times: number[] = []
  for (let i = 0; i < 15; i++) {
    const stop = new AbortController()
    const before = mainThreadMs()
    const response = await fetch(`${api.url}/pipelines/fifty/${path}`, { signal: stop.signal })
    if (path.startsWith('watch')) await response.body!.getReader().read()
    else await response.text()
    times.push(mainThreadMs() - before)
    stop.abort()
    await sleep(50)
  }
  answers[path] = median(times)
}
await api.close()
await large.stop()

const result = {
  suite: 'control-cost',
  results: [
    { name: 'alone', unit: 'records/s', median: median(alone), runs: alone },
    { name: 'watched', unit: 'records/s', median: median(watched), runs: watched },
    ...Object.entries(answers).map(([name, ms]) => ({
      name: `answer ${name}`,
      unit: 'ms of the main thread, request and client included',
      median: ms,
    })),
  ],
  ratios: { watched: median(ratios), mainThread: median(main) },
}
if (values.json === true) console.log(JSON.stringify(result))
else {
  if (rounds > 0) {
    const share = (100 * median(main)).toFixed(1)
    console.log(`watched / alone: ${median(ratios).toFixed(3)}; the main thread takes ${share} % of a core more`)
  }
  for (const [name, ms] of Object.entries(answers)) console.log(`${name.padEnd(24)} ${ms.toFixed(2)} ms`)
}
