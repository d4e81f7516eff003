import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { EVENTS, type GraphData, type PipelineEvent, run } from 'millrace'
import * as plain from '../run/graphs.js'
import * as graphs from './graphs.js'

async function eventsOf(graph: GraphData): Promise<PipelineEvent[]> {
  const told: PipelineEvent[] = []
  const listener = (message: unknown): void => void told.push(message as PipelineEvent)
  const channels = Object.keys(EVENTS).map((name) => channel(`millrace.${name}`))
  for (const each of channels) each.subscribe(listener)
  const pipeline = await run(graph)
  for (const { node, work } of pipeline.plan.stages) if (work === 'output') void readAll(pipeline.output(node))
  await pipeline.finished.catch(() => undefined)
  for (const each of channels) each.unsubscribe(listener)
  return told
}

async function readAll(records: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of records);
}

test('every event tells the fields that its page says, and no others', async () => {
  const told = (await Promise.all([graphs.fewPoisoned, graphs.deadly, plain.retries].map(eventsOf))).flat()
  const optional = new Set(['suppressed', 'recordId', 'report', 'stack'])
  const seen = new Set(told.map(({ name }) => name))
  for (const name of ['pipeline.started', 'worker.ready', 'worker.died', 'worker.restarted', 'record.retried'] as const)
    assert.ok(seen.has(name), `${name} was told`)
  for (const { name, pipeline, time, ...fields } of told) {
    const documented = Object.keys(EVENTS[name].fields)
    const undocumented = Object.keys(fields).filter((field) => !documented.includes(field))
    const absent = documented.filter((field) => !optional.has(field) && !(field in fields))
    assert.deepEqual({ name, undocumented, absent }, { name, undocumented: [], absent: [] })
    assert.ok(pipeline.length > 0 && time > 0)
  }
})
