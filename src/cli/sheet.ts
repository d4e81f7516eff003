import { readFile } from 'node:fs/promises'
import { diff } from '../analysis/diff.ts'
import { simulate } from '../analysis/flow/simulate.ts'
import type { Measurements } from '../analysis/types.ts'
import { soundEntries } from '../analysis/validate.ts'
import type { GraphData } from '../graph/types.ts'
import { graphToJson } from '../graph/json.ts'
import { plan } from '../plan/plan.ts'
import { rehearsable } from '../plan/rehearsable.ts'

/** What a sheet is made of, beside the command in the package. */
const FOLDER = new URL('../sheet/', import.meta.url)

/** What a sheet shows beside the graph. */
interface SheetParts {
  readonly before: GraphData | undefined
  readonly measurements: Measurements | undefined
  readonly cores: number
}

/**
 * The graph as one HTML file, in which it can be moved, asked and changed. It asks no server.
 * @throws GRAPH_INVALID where a figure is no number, or negative; LOOP_TOO_LARGE
 */
export async function sheetOf(given: GraphData, { before, measurements, cores }: SheetParts): Promise<string> {
  const graph = soundEntries(given)
  // What cannot be reckoned is told now, and not by a page that stays empty.
  simulate(graph, { cores })
  const [page, style, script] = await Promise.all(
    ['sheet.html', 'sheet.css', 'sheet.js'].map((file) => readFile(new URL(file, FOLDER), 'utf8')),
  )
  const data = {
    graph: graphToJson(graph),
    cores: Math.min(cores, Number.MAX_SAFE_INTEGER),
    memory: memoryOf(graph),
    ...(measurements === undefined ? {} : { measurements }),
    ...(before === undefined
      ? {}
      : { before: graphToJson(soundEntries(before)), differences: diff(before, graph, { cores }).differences }),
  }
  const parts: Readonly<Record<string, string>> = {
    NAME: graph.name.replaceAll(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`),
    STYLE: style!,
    // Nothing in it ends the element that it stands in.
    DATA: JSON.stringify(data).replaceAll('<', String.raw`\u003c`),
    SCRIPT: script!.replaceAll('</', String.raw`<\/`),
  }
  return page!.replaceAll(/%(NAME|STYLE|DATA|SCRIPT)%/g, (_, name: string) => parts[name]!)
}

/** Bytes of all lanes into each node; of a graph that cannot be planned as it is, nothing. */
function memoryOf(graph: GraphData): Readonly<Record<string, number>> {
  let links: ReturnType<typeof plan>['links']
  try {
    links = plan(rehearsable(graph), {}, true).links
  } catch {
    return {}
  }
  const bytes: Record<string, number> = {}
  for (const { toNode, lanes } of links) {
    const own = lanes.flat().reduce((sum, { ringBytes }) => sum + ringBytes, 0)
    bytes[toNode] = (bytes[toNode] ?? 0) + own
  }
  return bytes
}
