import type { NodeKind, PathType } from '../graph/types.ts'
import type { RowPlace } from './rows.ts'
import type { PathStyle, Theme } from './theme.ts'

export interface DrawnLine {
  readonly text: string
  readonly role: 'name' | 'detail' | 'figure'
}

export interface PictureNode {
  readonly id: string
  readonly kind: NodeKind
  readonly lines: readonly DrawnLine[]
  readonly shape: string
  readonly fill: string
  readonly border: string
  readonly font: string
  readonly width: number
  readonly style: string | undefined
  readonly image: string | undefined
  readonly tooltip: string
  /** It limits what the graph can do: drawn with a ring around it. */
  readonly isBottleneck: boolean
  /** Where it lies, in a picture of several rows. */
  readonly place: RowPlace | undefined
}

export interface PictureEdge extends PathStyle {
  readonly from: string
  readonly to: string
  readonly pathType: PathType
  readonly lines: readonly string[]
  /** Colour that its text shall have, and what lies behind it. */
  readonly ink: string
  readonly behind: string
  /** It leads from one row to another. */
  readonly turns: boolean
}

export interface PictureCluster {
  readonly id: string
  readonly lines: readonly string[]
  /** What goes into it and comes out of it. */
  readonly figures: readonly string[]
  readonly isFilled: boolean
  readonly style: string
  readonly fill: string
  readonly border: string
  readonly font: string
  readonly nodes: readonly PictureNode[]
  readonly clusters: readonly PictureCluster[]
}

/** A graph ready to be written in any format: every colour and text decided. */
export interface Picture {
  readonly name: string
  readonly title: readonly string[]
  /** What the figures say in one sentence. */
  readonly caption: readonly string[]
  /** What everything is drawn on: the theme's background, or white where that is transparent. */
  readonly page: string
  readonly theme: Theme
  readonly nodes: readonly PictureNode[]
  readonly clusters: readonly PictureCluster[]
  readonly edges: readonly PictureEdge[]
  readonly legend: Legend | undefined
}

export interface Legend {
  readonly kinds: readonly NodeKind[]
  readonly paths: readonly PathType[]
  readonly heat: boolean
}
