import { Type } from 'typebox'
import { MillraceError } from '../../errors.ts'
import { endpoint, PIPELINE, type Endpoint } from '../endpoint.ts'
import { LoggedEvent } from '../event-log.ts'
import { Feed } from '../feed.ts'
import { Subscriber } from '../subscriber.ts'
import { type Room, watchedOf } from '../room.ts'
import { SECURITY_HEADERS } from '../security-headers.ts'
import type { Watched } from '../watched.ts'

export const EventList = Type.Object(
  {
    events: Type.Array(LoggedEvent),
    missed: Type.Integer({ description: 'Events after `after` that are no longer kept.' }),
  },
  {
    examples: [
      {
        events: [
          {
            id: 1,
            name: 'pipeline.started',
            pipeline: 'iot',
            time: 1_790_000_000_000,
            fields: { stages: 4, workers: 7 },
          },
        ],
        missed: 0,
      },
    ],
  },
)
export type EventList = Type.Static<typeof EventList>

/** No proxy on the way may keep what comes, or wait for more of it. */
const STREAM_HEADERS = {
  ...SECURITY_HEADERS,
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-store, no-transform',
  'x-accel-buffering': 'no',
}

/** Subscribers of all pipelines; the plugin closes them before the server. */
export class Feeds {
  readonly #feeds = new Map<Watched, Feed>()

  get size(): number {
    return [...this.#feeds.values()].reduce((sum, { size }) => sum + size, 0)
  }

  of(watched: Watched): Feed {
    const known = this.#feeds.get(watched)
    if (known !== undefined) return known
    const feed = new Feed(watched)
    this.#feeds.set(watched, feed)
    return feed
  }

  /** Of one pipeline: nothing more is told of it. */
  end(watched: Watched): void {
    this.#feeds.get(watched)?.close()
    this.#feeds.delete(watched)
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.close()
  }
}

export function events(room: Room, feeds: Feeds): readonly Endpoint[] {
  return [
    endpoint('GET /pipelines/:pipeline/events', {
      tag: 'watch',
      summary: 'Lists recent events.',
      params: PIPELINE,
      query: {
        after: Type.Optional(Type.Integer({ minimum: 0, default: 0, description: 'Only events with a higher id.' })),
      },
      answer: EventList,
      handle: ({ params, query }) => {
        const found = watchedOf(room, params.pipeline).events.after(query.after ?? 0)
        return { events: [...found.events], missed: found.missed }
      },
    }),
    endpoint('GET /pipelines/:pipeline/watch', {
      tag: 'watch',
      summary:
        'Streams server-sent events: `snapshot` (schema Live) at `rateHz`, `event` (LoggedEvent) for each event, `gap` if some were lost.',
      params: PIPELINE,
      query: {
        rateHz: Type.Optional(
          Type.Number({ minimum: 0.05, maximum: 10, default: 2, description: 'Snapshots per second.' }),
        ),
        snapshots: Type.Optional(Type.Boolean({ default: true })),
        events: Type.Optional(Type.Boolean({ default: true })),
        after: Type.Optional(
          Type.String({
            description: 'Start with the events after this id, like the header `last-event-id`; 0: all that are kept.',
            examples: ['0', 'a1b2c3d4e5f6-42'],
          }),
        ),
      },
      answer: 'text/event-stream',
      errors: ['SUBSCRIBERS_TOO_MANY'],
      handle: ({ params, query, request, reply }) => {
        const watched = watchedOf(room, params.pipeline)
        const feed = feeds.of(watched)
        // A pipeline that was not started has nothing to show.
        void watched.running
        if (feeds.size >= room.options.maxSubscribers) throw new MillraceError('SUBSCRIBERS_TOO_MANY')
        const { rateHz = 2, snapshots = true, events: wantsEvents = true, after } = query
        const seen = request.headers['last-event-id']?.toString() ?? after
        const { events } = watched
        const cursor = seen === undefined ? events.last : seen === '0' ? 0 : events.numberOf(seen)
        reply.hijack()
        const { raw } = reply
        raw.writeHead(200, STREAM_HEADERS)
        raw.write('retry: 1000\n\n')
        const end = feed.add(
          new Subscriber(raw, events, wantsEvents ? cursor : undefined),
          snapshots ? Math.max(100, Math.round(1_000 / rateHz)) : undefined,
        )
        raw.on('close', end)
        raw.on('error', end)
        return undefined
      },
    }),
  ]
}
