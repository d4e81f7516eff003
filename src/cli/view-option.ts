import type { GraphData, NodeKind } from '../graph/types.ts'
import { NODE_KINDS } from '../graph/types.ts'
import { collapse, filter, focus, focusBetween, zoom, type View } from '../render/views/views.ts'
import { UsageError } from './command.ts'

/** The views that `--view NAME=VALUE` asks for, in the order given. @throws UsageError */
export function viewsOf(graph: GraphData, texts: readonly string[], radius: number | undefined): readonly View[] {
  const around = radius === undefined ? {} : { radius }
  return texts.map((text) => {
    const at = text.indexOf('=')
    const value = text.slice(at + 1)
    switch (text.slice(0, Math.max(0, at))) {
      case 'zoom':
        return zoom(value === '' ? Number.NaN : Number(value))
      case 'focus':
        return focus(value, around)
      case 'up':
        return focus(value, { radius: Infinity, ...around, direction: 'up' })
      case 'down':
        return focus(value, { radius: Infinity, ...around, direction: 'down' })
      case 'between':
        return focusBetween(...endsOf(graph, value, '--view between=FROM,TO'), around)
      case 'only':
        return only(value)
      case 'collapse':
        return collapse(value)
      default:
        throw new UsageError(
          `--view takes zoom=, focus=, up=, down=, between=, only= or collapse=, not ${JSON.stringify(text)}.`,
        )
    }
  })
}

/** Ids may hold commas: the one that parts two known ids counts. */
export function endsOf({ nodes }: GraphData, value: string, option: string): [string, string] {
  const ids = new Set(nodes.map(({ id }) => id))
  for (let at = value.indexOf(','); at !== -1; at = value.indexOf(',', at + 1)) {
    const ends: [string, string] = [value.slice(0, at), value.slice(at + 1)]
    if (ends.every((id) => ids.has(id))) return ends
  }
  throw new UsageError(`${option} takes the ids of two nodes, not ${JSON.stringify(value)}.`)
}

function only(value: string): View {
  const kinds = value.split(',')
  const unknown = kinds.find((kind) => !NODE_KINDS.includes(kind as NodeKind))
  if (unknown !== undefined) {
    throw new UsageError(`--view only=KIND,… takes ${NODE_KINDS.join(', ')}, not ${JSON.stringify(unknown)}.`)
  }
  return filter(({ kind }) => kinds.includes(kind))
}
