import { Passages, recordOf } from '../questions/passages.ts'
import { resolvedId } from '../questions/record-ids.ts'
import { eventsOf, type TraceRange, type TraceSource } from '../source.ts'

/** A record as it was captured on its way to a node. */
interface Captured {
  readonly node: string
  readonly record: string
  readonly json: string
}

/** What was captured of a record on its way to a node, or to the first one that has; the last time that it was. */
export async function capturedOf(
  source: TraceSource,
  record: string,
  { node, ...range }: TraceRange & { readonly node?: string | undefined } = {},
): Promise<Captured | undefined> {
  const id = resolvedId(record)
  const passages = new Passages(await eventsOf(source, range))
  const inOrder = passages.of(id).toSorted((a, b) => a.event.takenAt - b.event.takenAt)
  const found = inOrder.flatMap((passage): Captured[] => {
    const { side, event, place } = passage
    const json = side === 'taken' ? event.content?.find(({ index }) => index === place)?.json : undefined
    return json === undefined || (node ?? event.node) !== event.node
      ? []
      : [{ node: event.node, record: recordOf(passage), json }]
  })
  return node === undefined ? found[0] : found.at(-1)
}
