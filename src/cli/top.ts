import { ControlClient } from '../control/client.ts'
import type { LoggedEvent } from '../control/index.ts'
import { numberOf, textOf, TOKEN_TEXT, UsageError, type Command, type Output } from './command.ts'
import { liveLines } from './live-text.ts'
import { TerminalScreen } from './screen.ts'

const KEPT_EVENTS = 20

export const topCommand: Command = {
  summary: 'Monitors a running pipeline through its control API.',
  usage: 'URL [--pipeline NAME] [--token TOKEN] [--rate HZ] [--once] [--json]',
  options: {
    pipeline: { type: 'string', value: 'NAME', text: 'Name of the pipeline. Default: the first.' },
    token: { type: 'string', value: 'TOKEN', text: TOKEN_TEXT },
    rate: { type: 'string', value: 'HZ', text: 'Snapshots per second, at most 10. Default: 2.' },
    once: { type: 'boolean', text: 'Print one snapshot and exit. Default without a terminal.' },
    json: { type: 'boolean', text: 'Print each snapshot as one line of JSON.' },
  },
  async run({ positionals, values, output }) {
    const [url, ...more] = positionals
    if (url === undefined || more.length > 0 || !URL.canParse(url)) {
      throw new UsageError('Expected one URL of a control API, such as http://127.0.0.1:4480.')
    }
    const rateHz = numberOf(values, 'rate', 0.05) ?? 2
    if (rateHz > 10) throw new UsageError('--rate must be at most 10.')
    const client = new ControlClient(url, { token: textOf(values, 'token') ?? process.env['MILLRACE_TOKEN'] })
    const name = textOf(values, 'pipeline') ?? (await client.pipelines())[0]?.name
    if (name === undefined) {
      output.warn('No pipeline found at this URL.')
      return 1
    }
    const asJson = values['json'] === true
    const isOnce = values['once'] === true || (!asJson && output.terminal === undefined)
    const stop = new AbortController()
    const end = (): void => stop.abort()
    process.once('SIGINT', end).once('SIGTERM', end)
    try {
      const hint = (): string => `${url}   Ctrl-C ends this view, not the pipeline.`
      await follow(client, name, { output, rateHz, asJson, isOnce, hint, signal: stop.signal })
    } finally {
      process.off('SIGINT', end).off('SIGTERM', end)
    }
    return 0
  },
}

export interface Following {
  readonly output: Output
  readonly rateHz: number
  readonly asJson: boolean
  readonly isOnce: boolean
  /** What keys do just now. */
  readonly hint: () => string
  readonly signal: AbortSignal
}

/** Shows a pipeline until the signal aborts, or the pipeline's API is gone. */
export async function follow(client: ControlClient, name: string, following: Following): Promise<void> {
  const { output, rateHz, asJson, isOnce, hint, signal } = following
  const graph = await client.read(name, '/graph')
  const screen = output.terminal === undefined || isOnce || asJson ? undefined : new TerminalScreen(output.terminal)
  const events: LoggedEvent[] = []
  try {
    for await (const { name: kind, data } of client.watch(name, { rateHz, signal })) {
      if (kind === 'event') events.push(data)
      if (events.length > KEPT_EVENTS) events.shift()
      if (kind !== 'snapshot') continue
      if (asJson) output.print(JSON.stringify(data))
      else if (screen === undefined) output.print(liveLines(name, graph, data, events, output).join('\n'))
      else screen.show(() => liveLines(name, graph, data, events, output, hint()))
      if (isOnce) return
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    screen?.close()
  }
}
