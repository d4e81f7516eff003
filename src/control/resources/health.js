import { Type } from 'typebox'
import { endpoint } from '../endpoint.js'
import { STATES } from '../watched.js'
export const HealthAnswer = Type.Object(
  {
    status: Type.Enum(['ok', 'failing']),
    pipelines: Type.Array(
      Type.Object({
        name: Type.String(),
        state: Type.Enum([...STATES]),
        reasons: Type.Array(Type.String(), { description: 'Why it counts as failing.' }),
      }),
    ),
  },
  { examples: [{ status: 'ok', pipelines: [{ name: 'iot', state: 'running', reasons: [] }] }] },
)
const READY = new Set(['running'])
export function health(room) {
  const answer = (reasonsOf) => {
    const pipelines = [...room.pipelines.values()].map((watched) => ({
      name: watched.name,
      state: watched.state,
      reasons: reasonsOf(watched),
    }))
    return { status: pipelines.every(({ reasons }) => reasons.length === 0) ? 'ok' : 'failing', pipelines }
  }
  const probe = (path, summary, reasonsOf) =>
    endpoint(`GET /${path}`, {
      tag: 'health',
      summary,
      access: 'open',
      answer: HealthAnswer,
      handle: ({ reply }) => {
        const found = answer(reasonsOf)
        if (found.status === 'failing') void reply.code(503)
        return found
      },
    })
  return [
    probe('health', 'Whether every pipeline lives: 503 where one failed or stands still.', (watched) => [
      ...(watched.state === 'failed' ? ['it failed'] : []),
      ...stalled(watched),
    ]),
    probe('ready', 'Whether every pipeline takes records: 503 where one starts, ends or has ended.', (watched) => [
      ...(READY.has(watched.state) ? [] : [`it is ${watched.state}`]),
      ...stalled(watched),
    ]),
  ]
}
function stalled(watched) {
  return watched.isStalled ? ['records are in flight and none moves'] : []
}
