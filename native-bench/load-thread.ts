/** Who asks the service of the suite `embed`: some connections that always ask, and one that asks now and then. */
import hdr from 'hdr-histogram-js'
import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'

export interface LoadThread {
  readonly url: string
  /** What the heavy routes must answer. */
  readonly expected: number
  readonly heavy: number
  readonly lightEveryMs: number
}

/** One burst: a heavy route, or none. */
export interface Load {
  readonly path: string | undefined
  readonly ms: number
}

export interface LoadReport {
  /** Heavy requests that were answered in the time. */
  readonly heavy: number
  readonly lightP99Ms: number
}

const { url, expected, heavy: connections, lightEveryMs } = workerData as LoadThread
const agent = new Agent({ keepAlive: true })

/** @throws where the service does not answer `value` */
function ask(path: string, value: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url + path, { agent }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('end', () => {
        if (response.statusCode === 200 && (JSON.parse(body) as { value: number }).value === value) resolve()
        else reject(new Error(`${path} answered ${response.statusCode}: ${body}, not ${value}`))
      })
    })
    request.on('error', reject)
  })
}

async function load({ path, ms }: Load): Promise<LoadReport> {
  const end = performance.now() + ms
  const times = hdr.build({ lowestDiscernibleValue: 1, highestTrackableValue: 60e9, numberOfSignificantValueDigits: 3 })
  let heavy = 0
  const always = async (route: string): Promise<void> => {
    while (performance.now() < end) {
      await ask(route, expected)
      if (performance.now() <= end) heavy++
    }
  }
  const nowAndThen = async (): Promise<void> => {
    while (performance.now() < end) {
      const start = performance.now()
      await ask('/light', 1)
      const tookMs = performance.now() - start
      // Those who would have asked meanwhile would have waited too.
      times.recordValueWithExpectedInterval(Math.max(1, Math.round(tookMs * 1e6)), lightEveryMs * 1e6)
      await sleep(Math.max(0, lightEveryMs - tookMs))
    }
  }
  const routes = Array.from({ length: path === undefined ? 0 : connections }, () => path!)
  await Promise.all([nowAndThen(), ...routes.map(always)])
  return { heavy, lightP99Ms: times.getValueAtPercentile(99) / 1e6 }
}

parentPort!.on('message', (task: Load) => {
  // A refusal is thrown to whoever started the thread.
  void load(task).then((report) => parentPort!.postMessage(report))
})
