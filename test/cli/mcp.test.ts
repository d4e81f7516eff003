import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { type GraphData, type Pipeline, rehearse } from 'millrace'
import { serveControl } from 'millrace/control'
import { TOOLS } from '#src/cli/mcp-tools.js'
import iot from '../../examples/walkthrough/2-iot.js'

const MAIN = fileURLToPath(import.meta.resolve('#src/cli/main.js'))

let pipeline: Pipeline
let server: Awaited<ReturnType<typeof serveControl>>
const client = new Client({ name: 'test', version: '1' })

before(async () => {
  pipeline = await rehearse(iot)
  server = await serveControl(pipeline, { port: 0 })
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [MAIN, 'mcp', server.url] }))
})

after(async () => {
  await client.close()
  await server.close()
  await pipeline.stop()
})

async function call(name: string, given: Record<string, unknown> = {}): Promise<{ isError: boolean; text: string }> {
  const { isError = false, content } = await client.callTool({ name, arguments: given })
  return { isError: isError === true, text: (content as { text: string }[])[0]!.text }
}

async function found(name: string, given: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const { isError, text } = await call(name, given)
  assert.equal(isError, false, text)
  return JSON.parse(text) as Record<string, unknown>
}

test('an assistant is told of every tool, and that none of them changes anything', async () => {
  const { tools } = await client.listTools()
  assert.deepEqual(
    tools.map(({ name }) => name),
    ['pipelines', ...Object.keys(TOOLS)],
  )
  assert.ok(tools.every(({ annotations, name }) => annotations?.readOnlyHint === true || name === 'pipelines'))
})

test('each tool that reads answers for the running pipeline', async () => {
  const readers = Object.entries(TOOLS).filter(([, { required }]) => required === undefined)
  for (const [name] of readers) assert.ok(Object.keys(await found(name)).length > 0, name)
  const [first] = (await found('pipelines')) as unknown as { name: string }[]
  assert.equal(first!.name, 'iot')
  const { bottleneck } = (await found('analysis', { pipeline: 'iot' })) as { bottleneck: object }
  assert.ok('sentence' in bottleneck && 'cause' in bottleneck)
})

test('what if and diff answer with what changes', async () => {
  const whatIf = await found('what_if', { nodes: { aggregator: { concurrency: 2 } } })
  assert.equal((whatIf['throughput'] as { factor: number }).factor, 2)
  const { nodes, ...rest } = (await found('graph')) as unknown as GraphData
  const other = { ...rest, nodes: nodes.map((node) => (node.id === 'aggregator' ? { ...node, concurrency: 2 } : node)) }
  const [difference] = (await found('diff', { graph: other }))['differences'] as { id: string; option: string }[]
  assert.deepEqual([difference!.id, difference!.option], ['aggregator', 'concurrency'])
})

test('what cannot be answered says why', async () => {
  const refused: [string, Record<string, unknown>, RegExp][] = [
    ['nothing', {}, /no tool "nothing"/],
    ['stats', { pipeline: 'none' }, /PIPELINE_UNKNOWN/],
    ['what_if', {}, /"nodes" is to be an object/],
    ['what_if', { nodes: { nobody: { concurrency: 1 } } }, /NODE_UNKNOWN/],
    ['what_if', { nodes: { aggregator: { concurrency: 'many' } } }, /GRAPH_INVALID/],
    ['diff', { graph: {} }, /GRAPH_JSON_INVALID/],
  ]
  for (const [name, given, reason] of refused) {
    const { isError, text } = await call(name, given)
    assert.ok(isError, name)
    assert.match(text, reason)
  }
})
