import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { ControlClient } from '../control/client.ts'
import { MillraceError } from '../errors.ts'
import { LIBRARY_VERSION } from '../version.ts'
import { textOf, TOKEN_TEXT, UsageError, type Command } from './command.ts'
import { TOOLS } from './mcp-tools.ts'

export const mcpCommand: Command = {
  summary:
    'Serves the figures and the analysis of running pipelines to assistants: Model Context Protocol on stdin and stdout.',
  usage: 'URL [--token TOKEN]',
  options: {
    token: { type: 'string', value: 'TOKEN', text: TOKEN_TEXT },
  },
  async run({ positionals, values }) {
    const [url, ...more] = positionals
    if (url === undefined || more.length > 0 || !URL.canParse(url)) {
      throw new UsageError('Expected one URL of a control API, such as http://127.0.0.1:4480.')
    }
    const sdk = await loadSdk()
    const client = new ControlClient(url, { token: textOf(values, 'token') ?? process.env['MILLRACE_TOKEN'] })
    const server = new sdk.Server(
      { name: 'millrace', version: LIBRARY_VERSION },
      { capabilities: { tools: {} }, instructions: 'Running Millrace pipelines. Begin with `analysis`.' },
    )
    server.setRequestHandler(sdk.ListToolsRequestSchema, () => ({ tools: listed() }))
    server.setRequestHandler(sdk.CallToolRequestSchema, ({ params }) =>
      called(client, params.name, params.arguments ?? {}),
    )
    const ended = new Promise<void>((resolve) => (server.onclose = resolve))
    // The transport does not look for the end of its input.
    process.stdin.once('end', () => void server.close())
    await server.connect(new sdk.StdioServerTransport())
    await ended
    return 0
  },
}

function listed(): { name: string; description: string; inputSchema: { type: 'object' } }[] {
  const pipeline = { type: 'string', description: 'Which one. Default: the first.' }
  const tools = Object.entries(TOOLS).map(([name, { description, input = {}, required = [] }]) => ({
    name,
    description,
    inputSchema: { type: 'object' as const, properties: { pipeline, ...input }, required: [...required] },
    annotations: { readOnlyHint: true },
  }))
  const none = { type: 'object' as const, properties: {} }
  const pipelines = {
    name: 'pipelines',
    description: 'The pipelines that run here, and their states.',
    inputSchema: none,
  }
  return [pipelines, ...tools]
}

/** What goes wrong is an answer too, which says what to do: an assistant reads it. */
async function called(client: ControlClient, name: string, given: Record<string, unknown>): Promise<CallToolResult> {
  try {
    return { content: [{ type: 'text', text: JSON.stringify(await answer(client, name, given)) }] }
  } catch (error) {
    if (!(error instanceof MillraceError || error instanceof UsageError)) throw error
    return { isError: true, content: [{ type: 'text', text: error.message }] }
  }
}

async function answer(client: ControlClient, name: string, given: Record<string, unknown>): Promise<unknown> {
  if (name === 'pipelines') return client.pipelines()
  const tool = Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined
  if (tool === undefined) throw new UsageError(`There is no tool ${JSON.stringify(name)}.`)
  const missing = tool.required?.find((argument) => typeof given[argument] !== 'object' || given[argument] === null)
  if (missing !== undefined) throw new UsageError(`${JSON.stringify(missing)} is to be an object.`)
  const named = given['pipeline']
  const pipeline = typeof named === 'string' ? named : (await client.pipelines())[0]?.name
  if (pipeline === undefined) throw new UsageError('No pipeline runs there.')
  return tool.call({ client, pipeline }, given)
}

/** @throws MCP_NOT_INSTALLED */
async function loadSdk() {
  try {
    const [{ Server }, { StdioServerTransport }, { CallToolRequestSchema, ListToolsRequestSchema }] = await Promise.all(
      [
        import('@modelcontextprotocol/sdk/server/index.js'),
        import('@modelcontextprotocol/sdk/server/stdio.js'),
        import('@modelcontextprotocol/sdk/types.js'),
      ],
    )
    return { Server, StdioServerTransport, CallToolRequestSchema, ListToolsRequestSchema }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new MillraceError('MCP_NOT_INSTALLED', {}, { cause })
  }
}
