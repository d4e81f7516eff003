import { MillraceError, errorText } from '../../errors.ts'
import { moduleUrl } from '../../graph/module-url.ts'
import type { GraphData, GraphEdge, GraphNode } from '../../graph/types.ts'
import { seenText } from '../../seen.ts'
import type { TraceEvent } from '../event.ts'
import { Passages, type Passage, passagesOf, recordOf } from '../questions/passages.ts'
import { RecordFinder, resolvedId } from '../questions/record-ids.ts'
import { byRun, eventsOf, type TraceRange, type TraceSource } from '../source.ts'

/** One record that was put through its node once more. */
export interface ReplayedRecord {
  readonly record: string
  /** As it was captured: what `redact` had made of it. */
  readonly input: unknown
  /** What was captured of what came of it, and what comes of it now: JSON texts by edge, in their order. */
  readonly was: readonly ReplayedOutput[]
  readonly is: readonly ReplayedOutput[]
  /** Why there is nothing now. */
  readonly error?: { readonly code: string; readonly message: string }
  /** `unknown` where nothing of what came of it was captured. */
  readonly verdict: 'same' | 'changed' | 'unknown'
}

export interface ReplayedOutput {
  readonly edge: number
  readonly json: string
}

export interface ReplayOptions extends TraceRange {
  readonly node: string
  /** Only this record. */
  readonly record?: string | undefined
  /** Records at most. Default: 1,000. */
  readonly limit?: number | undefined
  readonly params?: unknown
}

type AnyHandler = (...args: unknown[]) => unknown

/**
 * Calls the handler of one node once more with what was captured of records on their way to it, here and by itself: nothing that it
 * gives goes anywhere. What comes is compared with what was captured behind it.
 * @param graph with its functions
 * @throws NODE_UNKNOWN, HANDLER_MISSING: a node that gives nothing on, such as a sink, is not called
 */
export async function replayNode(
  source: TraceSource,
  graph: GraphData,
  options: ReplayOptions,
): Promise<ReplayedRecord[]> {
  const { node: id, record, limit = 1_000, params, ...range } = options
  const node = graph.nodes.find((each) => each.id === id)
  if (node === undefined) throw new MillraceError('NODE_UNKNOWN', { node: id })
  const handler = await handlerOf(node, graph)
  const setup = await functionOf(node.setup, graph)
  const place = { node: id, worker: 0, workers: 1, params }
  const state: unknown = await setup?.({ ...place, epoch: 0, signal: new AbortController().signal })
  const bench = new Bench(graph, node, handler, { ...place, state })
  const finder = record === undefined ? undefined : new RecordFinder(resolvedId(record))
  const found: ReplayedRecord[] = []
  for (const events of byRun(await eventsOf(source, range)).values()) {
    const passages = new Passages(events)
    for (const event of events.filter((each) => each.node === id && each.content !== undefined && each.isPart !== true))
      for (const { index, json } of event.content!) {
        const passage = passagesOf(event)[index]
        if (passage === undefined || found.length >= limit) continue
        if (finder !== undefined && finder.placeIn(passage.records) !== passage.index) continue
        found.push(await bench.put(passage, json, passages))
      }
  }
  const teardown = await functionOf(node.teardown, graph)
  await teardown?.(state, { ...place, epoch: 0, signal: new AbortController().signal })
  return found
}

/** One node by itself. */
class Bench {
  readonly #graph: GraphData
  readonly #node: GraphNode
  readonly #handler: AnyHandler
  readonly #place: object

  constructor(graph: GraphData, node: GraphNode, handler: AnyHandler, place: object) {
    this.#graph = graph
    this.#node = node
    this.#handler = handler
    this.#place = place
  }

  async put(passage: Passage, json: string, passages: Passages): Promise<ReplayedRecord> {
    const record = recordOf(passage)
    const was = this.#captured(passage, passages)
    const input: unknown = JSON.parse(json)
    try {
      const outputs = await this.#call(input, passage.event, record)
      const edges = new Set(was.map(({ edge }) => edge))
      // Of edges behind which nothing was captured there is nothing to compare.
      const is = (await Promise.all(outputs.flatMap(([edge, value]) => this.#seen(edge, value)))).filter(
        ({ edge }) => edges.has(edge) || was.length === 0,
      )
      const verdict = was.length === 0 && is.length > 0 ? 'unknown' : isSame(was, is) ? 'same' : 'changed'
      return { record, input, was, is, verdict }
    } catch (error) {
      const { code, name, message } = errorText(error)
      const told = { code: code ?? name, message }
      const isSameError = passage.event.error?.message === message
      return { record, input, was, is: [], error: told, verdict: isSameError ? 'same' : 'changed' }
    }
  }

  /** What was captured of what came of a record. */
  #captured(passage: Passage, passages: Passages): ReplayedOutput[] {
    return passages.children(passage).flatMap(({ side, event, records, place }): ReplayedOutput[] => {
      const json = side === 'taken' ? event.content?.find(({ index }) => index === place)?.json : undefined
      return json === undefined || event.attempt > 0 ? [] : [{ edge: records.edge!, json }]
    })
  }

  async #call(input: unknown, { attempt }: TraceEvent, id: string): Promise<[edge: GraphEdge, value: unknown][]> {
    const { edges } = this.#graph
    const own = edges.filter(({ from, pathType = 'normal' }) => from === this.#node.id && pathType === 'normal')
    const outputs: [GraphEdge, unknown][] = []
    const send = (value: unknown, when?: string): void => {
      for (const edge of own) if (edge.when === when) outputs.push([edge, value])
    }
    const context = {
      ...this.#place,
      attempt: attempt + 1,
      id,
      signal: new AbortController().signal,
      trace: undefined,
      emit: (branch: string, value: unknown) => send(value, branch),
      fail: (_: unknown, reason: unknown) => {
        throw reason instanceof Error ? reason : new Error(String(reason))
      },
      attribute: () => undefined,
    }
    const isBatch = this.#node.mapBatch !== undefined
    const answer = await this.#handler(isBatch ? [input] : input, context)
    if (this.#node.filter !== undefined) {
      if (answer === true) send(input)
    } else if (isBatch || this.#node.flatMap !== undefined) {
      for await (const item of answer as AsyncIterable<unknown>) send(item)
    } else send(answer)
    return outputs
  }

  /** As the edge shows it; by the edge that leads to the next stage, where a conditional or a buffer lies between. */
  #seen(edge: GraphEdge, value: unknown): Promise<ReplayedOutput>[] {
    if (edge.capture === undefined) return []
    const behind = this.#graph.edges
      .map((each, index) => ({ each, index }))
      .filter(({ each }) => each === edge || (each.from === edge.to && this.#isInline(edge.to)))
    const last = behind.at(-1)!.index
    return [
      functionOf(edge.redact, this.#graph).then((redact) => ({
        edge: last,
        json: seenText(value, redact, edge.capture!),
      })),
    ]
  }

  #isInline(id: string): boolean {
    return ['conditional', 'buffer', 'merge'].includes(this.#graph.nodes.find((node) => node.id === id)?.kind ?? '')
  }
}

function isSame(was: readonly ReplayedOutput[], is: readonly ReplayedOutput[]): boolean {
  const texts = (outputs: readonly ReplayedOutput[]): string[] =>
    outputs.map(({ edge, json }) => `${edge} ${json}`).sort()
  return JSON.stringify(texts(was)) === JSON.stringify(texts(is))
}

/** @throws HANDLER_MISSING */
async function handlerOf(node: GraphNode, graph: GraphData): Promise<AnyHandler> {
  const { map, flatMap, filter, mapBatch } = node
  const handler = await functionOf(map ?? flatMap ?? filter ?? mapBatch, graph)
  if (handler === undefined)
    throw new MillraceError('HANDLER_MISSING', { node: node.id, handler: 'map, flatMap, filter or mapBatch' })
  return handler
}

async function functionOf(handler: unknown, graph: GraphData): Promise<AnyHandler | undefined> {
  if (handler === undefined || typeof handler === 'function') return handler as AnyHandler | undefined
  const { module, export: name } = handler as { module: string; export: string }
  const loaded = (await import(new URL(moduleUrl(module)!, graph.module).href)) as Readonly<Record<string, unknown>>
  return loaded[name] as AnyHandler
}
