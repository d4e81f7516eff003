import type { NodeKind, PathType } from '../graph/types.ts'

/** How the edges of a path type are drawn. */
export interface PathStyle {
  readonly color: string
  readonly style: 'solid' | 'dashed' | 'dotted'
  /** Line width in points. */
  readonly width: number
}

/** How a graph looks. Colours are hex colours; sizes are points, distances inches, as in Graphviz. */
export interface Theme {
  readonly name: string
  /** Fill of each kind of node. */
  readonly colors: Readonly<Record<NodeKind, string>>
  /** Graphviz shape of each kind; Mermaid takes the nearest that it has. */
  readonly shapes: Readonly<Record<NodeKind, string>>
  /** Text on nodes. Absent: dark or light, whichever reads better on the fill. */
  readonly nodeFontColor?: string
  readonly nodeFontName: string
  readonly nodeFontSize: number
  /** Outline of nodes. Absent: a darker shade of the fill. */
  readonly nodeBorderColor?: string
  readonly nodePenWidth: number
  /** Whether nodes show what they declare (rate, service time, workers, capacity) under their names. */
  readonly details: boolean
  /** Lines of normal edges; the other path types have their own. */
  readonly edgeColor: string
  readonly edgePenWidth: number
  readonly edgeFontColor: string
  readonly edgeFontName: string
  readonly edgeFontSize: number
  readonly paths: Readonly<Record<Exclude<PathType, 'normal'>, PathStyle>>
  /** Direction of the flow: left to right, top to bottom, and their opposites. */
  readonly rankdir: 'LR' | 'TB' | 'RL' | 'BT'
  /** `transparent`, or a colour. */
  readonly background: string
  /** Form of the lines, as Graphviz names it: `spline`, `ortho`, `polyline`, `line`, `curved`. */
  readonly splines: string
  /** Distance of nodes in one rank, and of ranks, in inches. */
  readonly nodeSep: number
  readonly rankSep: number
  readonly clusterStyle: string
  readonly clusterFillColor: string
  readonly clusterColor: string
  readonly clusterFontColor: string
}

/** A theme's keys, each of them optional, also within `colors`, `shapes` and `paths`. */
export type ThemeOverrides = {
  readonly [Key in keyof Theme]?: Theme[Key] extends Readonly<Record<string, unknown>>
    ? Partial<Theme[Key]>
    : Theme[Key]
}

/** A theme with some keys replaced; what is not said stays. */
export function extend(from: Theme, overrides: ThemeOverrides): Theme {
  return Object.freeze({
    ...from,
    ...overrides,
    colors: Object.freeze({ ...from.colors, ...overrides.colors }),
    shapes: Object.freeze({ ...from.shapes, ...overrides.shapes }),
    paths: Object.freeze({ ...from.paths, ...overrides.paths }),
  })
}

/** The line of a path type. */
export function pathStyle(path: PathType, theme: Theme): PathStyle {
  return path === 'normal' ? { color: theme.edgeColor, style: 'solid', width: theme.edgePenWidth } : theme.paths[path]
}
