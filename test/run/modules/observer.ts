/** Imported first in every worker: notes what the channels tell. */
import { tracingChannel } from 'node:diagnostics_channel'

/** Names of what was told, in order, with the messages of the starts. */
export const told: { readonly at: string; readonly node: string; readonly message?: Record<string, unknown> }[] = []
Object.assign(globalThis, { told })

for (const kind of ['call', 'batch', 'poll', 'ack']) {
  const note = (at: string) => (message: unknown) => {
    const { node, context: _, ...rest } = message as { node: string; context?: unknown }
    told.push({ at: `${kind} ${at}`, node, message: structuredClone(rest) })
  }
  tracingChannel(`millrace.${kind}`).subscribe({
    start: note('start'),
    end: note('end'),
    asyncStart: note('asyncStart'),
    asyncEnd: note('asyncEnd'),
    error: note('error'),
  })
}
