import { Type } from 'typebox'
import { isAboutToEnd } from '../../process/signals.ts'
import { endpoint, type Endpoint } from '../endpoint.ts'
import type { Room } from '../room.ts'
import { STATES, type State, type Watched } from '../watched.ts'

export const HealthAnswer = Type.Object(
  {
    status: Type.Enum(['ok', 'degraded', 'failing'], {
      description: '`degraded`: records wait for something outside, and nothing is wrong here.',
    }),
    pipelines: Type.Array(
      Type.Object({
        name: Type.String(),
        state: Type.Enum([...STATES]),
        degraded: Type.Array(Type.String(), { description: 'What workers wait for outside the pipeline.' }),
        reasons: Type.Array(Type.String(), { description: 'Why the pipeline is failing; empty if it is not.' }),
      }),
    ),
  },
  { examples: [{ status: 'ok', pipelines: [{ name: 'iot', state: 'running', degraded: [], reasons: [] }] }] },
)
export type HealthAnswer = Type.Static<typeof HealthAnswer>

const READY: ReadonlySet<State> = new Set(['running'])

export function health(room: Room): readonly Endpoint[] {
  const answer = (reasonsOf: (watched: Watched) => string[]): HealthAnswer => {
    const pipelines = [...room.pipelines.values()].map((watched) => ({
      name: watched.name,
      state: watched.state,
      degraded: degraded(watched),
      reasons: reasonsOf(watched),
    }))
    const isFailing = pipelines.some(({ reasons }) => reasons.length > 0)
    const isDegraded = pipelines.some((each) => each.degraded.length > 0)
    return { status: isFailing ? 'failing' : isDegraded ? 'degraded' : 'ok', pipelines }
  }
  const probe = (path: 'health' | 'ready', summary: string, reasonsOf: (watched: Watched) => string[]): Endpoint =>
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
    probe(
      'health',
      'Liveness probe: 503 if a pipeline has failed, or is stalled and waits for nothing outside, or the disk of its ingress journal failed.',
      (watched) => [...(watched.state === 'failed' ? ['it failed'] : []), ...stalled(watched), ...brokenDisk(watched)],
    ),
    probe(
      'ready',
      'Readiness probe: 503 if a pipeline is not running or is stalled, or its ingress journal accepts no records.',
      (watched) => [
        ...(READY.has(watched.state) ? [] : [`it is ${watched.state}`]),
        ...(watched.pipeline !== undefined && isAboutToEnd(watched.pipeline) ? ['the process is about to end'] : []),
        ...stalled(watched),
        ...brokenDisk(watched),
        ...(journalOf(watched) === 'full' ? ['the disk of its ingress journal is full'] : []),
      ],
    ),
  ]
}

function brokenDisk(watched: Watched): string[] {
  if (journalOf(watched) !== 'failed') return []
  return ['the disk of its ingress journal failed: it accepts no records until it is started again']
}

function journalOf({ pipeline }: Watched): string | undefined {
  return pipeline?.snapshot().journal?.state
}

function degraded({ pipeline }: Watched): string[] {
  return (pipeline?.degraded ?? []).map(({ node, worker, reason }) => `worker ${worker} of ${node}: ${reason}`)
}

function stalled(watched: Watched): string[] {
  return watched.isStalled && degraded(watched).length === 0 ? ['records are in flight and none moves'] : []
}
