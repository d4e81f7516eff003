/**
 * What the control API costs: `node build/native-bench/control-cost.js [--rounds N] [--browser] [--json]`.
 * Throughput of one pipeline, by turns alone and with its API polled at 10 Hz (`/stats`), a subscriber to server-sent events, and
 * the page; then the main thread's time for each answer of a pipeline with 50 stages. The page is a process that asks for all
 * that the page asks for: what a browser needs to draw it is no cost of the API. With `--browser` it is a Chromium on this
 * machine, which takes its cores from the pipeline.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { rehearse, run, type Pipeline } from 'millrace'
import { serveControl } from 'millrace/control'
import { fifty, line } from './control-cost.graph.js'

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, browser: { type: 'boolean' }, json: { type: 'boolean' } },
})
const rounds = Number(values.rounds ?? 12)
const ROUND_MS = 4_000
/** Answers that are not measured: the first ones load and compile what they need. */
const WARM_UP = 15
/** What is begun has settled by then; a browser has started, and drawn the page for some seconds. */
const SETTLE_MS = values.browser === true ? 5_000 : 500

/** Milliseconds that this thread was on a core: other programs on a busy machine do not count. Linux only; else wall time. */
function mainThreadMs(): number {
  const file = `/proc/self/task/${process.pid}/schedstat`
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[0]) / 1e6 : performance.now()
}

interface Measured {
  readonly rate: number
  /** Records per second of processor time of this process: watchers on the same machine do not count. */
  readonly perCpu: number
  /** Share of a core that the main thread took. */
  readonly main: number
}

async function measured(pipeline: Pipeline): Promise<Measured> {
  await sleep(SETTLE_MS)
  const [before, cpu, main, since] = [pipeline.snapshot(), process.cpuUsage(), mainThreadMs(), performance.now()]
  await sleep(ROUND_MS)
  const ms = performance.now() - since
  const { user, system } = process.cpuUsage(cpu)
  const records = pipeline.snapshot().nodes['store']!.done - before.nodes['store']!.done
  return {
    rate: (records * 1e3) / ms,
    perCpu: (records * 1e6) / (user + system),
    main: (mainThreadMs() - main) / ms,
  }
}

/** Begins to poll, to follow, and to look at the page. @returns what ends it */
async function watchers(url: string): Promise<() => Promise<unknown>> {
  const child = fork(new URL('control-cost.watchers.js', import.meta.url), [
    url,
    'line',
    values.browser === true ? 'browser' : '',
  ])
  await once(child, 'message')
  return async () => {
    child.kill()
    await once(child, 'exit')
  }
}

function answerTo(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => void get(url, resolve).once('error', reject))
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!
}

const pipeline = await run(line)
const server = await serveControl(pipeline, { port: 0 })
// The first seconds are slower than all others: the compiler is at work.
await measured(pipeline)
const alone: number[] = []
const watched: number[] = []
const ratios = { watched: [] as number[], perCpu: [] as number[] }
const main: number[] = []
for (let round = 0; round < rounds; round++) {
  const without = await measured(pipeline)
  const end = await watchers(server.url)
  const withApi = await measured(pipeline)
  await end()
  alone.push(without.rate)
  watched.push(withApi.rate)
  ratios.watched.push(withApi.rate / without.rate)
  ratios.perCpu.push(withApi.perCpu / without.perCpu)
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
  for (let i = 0; i < WARM_UP + 15; i++) {
    const before = mainThreadMs()
    const response = await answerTo(`${api.url}/pipelines/fifty/${path}`)
    if (path.startsWith('watch')) await once(response, 'data')
    else await once(response.resume(), 'end')
    if (i >= WARM_UP) times.push(mainThreadMs() - before)
    response.destroy()
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
  ratios: { watched: median(ratios.watched), perCpu: median(ratios.perCpu), mainThread: median(main) },
}
if (values.json === true) console.log(JSON.stringify(result))
else {
  if (rounds > 0) {
    const share = (100 * median(main)).toFixed(1)
    const [here, perCpu] = [median(ratios.watched).toFixed(3), median(ratios.perCpu).toFixed(3)]
    console.log(`watched / alone: ${here} beside the watchers; ${perCpu} for the same processor time`)
    console.log(`the main thread takes ${share} % of a core more`)
  }
  for (const [name, ms] of Object.entries(answers)) console.log(`${name.padEnd(24)} ${ms.toFixed(2)} ms`)
}
