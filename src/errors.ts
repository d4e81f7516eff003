/** One failure's fixed text, and what to do about it. */
export interface ErrorEntry {
  readonly text: string
  readonly fix: string
}

/**
 * Every failure that this library reports. A code is never renamed and never reused.
 * `docs/errors.md` is printed from this table.
 */
export const ERROR_CODES = {
  GRAPH_INVALID: {
    text: 'The graph has problems.',
    fix: 'Each entry of `problems` names the node, edge or option, a code and a way out.',
  },
  GRAPH_JSON_INVALID: {
    text: 'This is not a graph in JSON.',
    fix: 'A graph is `{ name, nodes: [{ id, kind, … }], edges: [{ from, to, … }], clusters: [{ id, … }] }`.',
  },
  EDGE_UNKNOWN: {
    text: 'The graph has no such edge.',
    fix: 'Name an edge by its index in `graph.edges`.',
  },
  MODULE_NOT_LOADED: {
    text: 'A module could not be loaded.',
    fix: 'Import it by itself (`node FILE`) to see the error. For TypeScript, install tsx or jiti, use a newer Node, or compile it.',
  },
  GRAPH_NOT_EXPORTED: {
    text: 'The module of the graph does not export it.',
    fix: 'Export the finished graph, under any name: `export default dataflow(…)…`.',
  },
  FILE_NOT_READ: {
    text: 'A file could not be read.',
    fix: 'Look at the path; it is taken from the folder that the command is started in.',
  },
  MEASUREMENTS_INVALID: {
    text: 'These are not measurements in JSON.',
    fix: 'Measurements are `{ seconds, nodes: { ID: { workers, in, … } }, edges: [{ index, records, … }] }`.',
  },
  LOOP_TOO_LARGE: {
    text: 'A loop has too many crossing edges for its traffic to be computed.',
    fix: 'Analyse a part of the graph, or collapse the loop into fewer nodes.',
  },
  NODE_UNKNOWN: {
    text: 'The graph has no such node.',
    fix: 'Name a node by its id, as the graph spells it.',
  },
  THEME_UNKNOWN: {
    text: 'There is no such theme.',
    fix: 'Use default, dark, warm, forest, ocean or minimal, or give a theme of your own, made with `theme`.',
  },
  VIEW_INVALID: {
    text: 'A view asks for what it cannot show.',
    fix: 'Zoom to level 0, 1 or 2; focus with a radius of 0 or more; collapse a cluster that holds nodes.',
  },
  SVG_RENDERER_MISSING: {
    text: 'SVG is drawn by @viz-js/viz, which is not installed.',
    fix: 'Install it: `npm install @viz-js/viz`. DOT and Mermaid need nothing.',
  },
  SVG_NOT_DRAWN: {
    text: 'Graphviz could not draw the graph.',
    fix: 'The reason names the attribute; look at `shape`, `style` and `image` of nodes, and at the theme.',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERROR_CODES

/** Where and why: ids, values and limits. Plain data, so that it crosses threads. */
export type ErrorDetail = Readonly<Record<string, unknown>>

/** The one class of all failures; `code` says which, `detail` where and why, `fix` what to do. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  readonly code: ErrorCode
  readonly detail: ErrorDetail

  constructor(code: ErrorCode, detail: ErrorDetail = {}, options?: ErrorOptions) {
    super(`${code}: ${ERROR_CODES[code].text}${describe(detail)} ${ERROR_CODES[code].fix}`, options)
    this.code = code
    this.detail = detail
  }

  get fix(): string {
    return ERROR_CODES[this.code].fix
  }
}

function describe(detail: ErrorDetail): string {
  const parts = Object.entries(detail).map(
    ([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}
