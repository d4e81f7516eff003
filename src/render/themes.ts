import { MillraceError } from '../errors.ts'
import { extend, type Theme, type ThemeOverrides } from './theme.ts'

const BASE: Theme = {
  name: 'default',
  colors: {
    source: '#10b981',
    transform: '#3b82f6',
    buffer: '#f59e0b',
    conditional: '#8b5cf6',
    merge: '#06b6d4',
    sink: '#f43f5e',
  },
  shapes: {
    source: 'house',
    transform: 'box3d',
    buffer: 'cylinder',
    conditional: 'diamond',
    merge: 'trapezium',
    sink: 'invhouse',
  },
  nodeFontName: 'Helvetica',
  nodeFontSize: 12,
  nodePenWidth: 1.2,
  details: true,
  edgeColor: '#64748b',
  edgePenWidth: 1.2,
  edgeFontColor: '#475569',
  edgeFontName: 'Helvetica',
  edgeFontSize: 10,
  paths: {
    error: { color: '#ef4444', style: 'dashed', width: 1.5 },
    retry: { color: '#f97316', style: 'dashed', width: 1.5 },
    dead_letter: { color: '#a855f7', style: 'dotted', width: 1.8 },
  },
  rankdir: 'LR',
  background: 'transparent',
  splines: 'spline',
  nodeSep: 0.45,
  rankSep: 0.7,
  clusterStyle: 'rounded,filled',
  clusterFillColor: '#f8fafc',
  clusterColor: '#cbd5e1',
  clusterFontColor: '#334155',
}

/** The themes that are built in. */
export type ThemeName = 'default' | 'dark' | 'warm' | 'forest' | 'ocean' | 'minimal'

/** The presets. */
export const THEMES: Readonly<Record<ThemeName, Theme>> = {
  default: BASE,
  dark: extend(BASE, {
    name: 'dark',
    colors: {
      source: '#059669',
      transform: '#2563eb',
      buffer: '#d97706',
      conditional: '#7c3aed',
      merge: '#0891b2',
      sink: '#e11d48',
    },
    edgeColor: '#94a3b8',
    edgeFontColor: '#cbd5e1',
    paths: {
      error: { color: '#f87171', style: 'dashed', width: 1.5 },
      retry: { color: '#fb923c', style: 'dashed', width: 1.5 },
      dead_letter: { color: '#c084fc', style: 'dotted', width: 1.8 },
    },
    background: '#0f172a',
    clusterFillColor: '#1e293b',
    clusterColor: '#475569',
    clusterFontColor: '#e2e8f0',
  }),
  warm: extend(BASE, {
    name: 'warm',
    colors: {
      source: '#fbbf24',
      transform: '#f97316',
      buffer: '#ea580c',
      conditional: '#ec4899',
      merge: '#db2777',
      sink: '#f43f5e',
    },
    edgeColor: '#78716c',
    edgeFontColor: '#57534e',
    paths: { error: { color: '#b91c1c', style: 'dashed', width: 1.5 } },
    background: '#fef2f2',
    clusterFillColor: '#fee2e2',
    clusterColor: '#fca5a5',
    clusterFontColor: '#7f1d1d',
  }),
  forest: extend(BASE, {
    name: 'forest',
    colors: {
      source: '#84cc16',
      transform: '#14b8a6',
      buffer: '#047857',
      conditional: '#65a30d',
      merge: '#0f766e',
      sink: '#15803d',
    },
    edgeColor: '#4b5563',
    edgeFontColor: '#374151',
    background: '#f0fdf4',
    clusterFillColor: '#dcfce7',
    clusterColor: '#86efac',
    clusterFontColor: '#14532d',
  }),
  ocean: extend(BASE, {
    name: 'ocean',
    colors: {
      source: '#0ea5e9',
      transform: '#0891b2',
      buffer: '#0369a1',
      conditional: '#2563eb',
      merge: '#0e7490',
      sink: '#1d4ed8',
    },
    background: '#f0f9ff',
    clusterFillColor: '#e0f2fe',
    clusterColor: '#7dd3fc',
    clusterFontColor: '#0c4a6e',
  }),
  minimal: extend(BASE, {
    name: 'minimal',
    colors: {
      source: '#ffffff',
      transform: '#ffffff',
      buffer: '#ffffff',
      conditional: '#ffffff',
      merge: '#ffffff',
      sink: '#ffffff',
    },
    shapes: {
      source: 'box',
      transform: 'box',
      buffer: 'cylinder',
      conditional: 'diamond',
      merge: 'box',
      sink: 'box',
    },
    nodeBorderColor: '#71717a',
    nodePenWidth: 0.8,
    details: false,
    edgeColor: '#71717a',
    edgePenWidth: 0.8,
    edgeFontColor: '#52525b',
    paths: {
      error: { color: '#71717a', style: 'dashed', width: 0.8 },
      retry: { color: '#71717a', style: 'dashed', width: 0.8 },
      dead_letter: { color: '#71717a', style: 'dotted', width: 0.8 },
    },
    nodeSep: 0.3,
    rankSep: 0.5,
    clusterStyle: 'rounded',
    clusterFillColor: '#ffffff',
    clusterColor: '#d4d4d8',
    clusterFontColor: '#52525b',
  }),
}

/** A theme made from another one, by name or itself: what is not said stays. @throws THEME_UNKNOWN */
export function theme(base: ThemeName | Theme, overrides: ThemeOverrides = {}): Theme {
  return extend(themeOf(base), overrides)
}

/** @throws THEME_UNKNOWN */
export function themeOf(named: ThemeName | Theme): Theme {
  if (typeof named !== 'string') return named
  if (!Object.hasOwn(THEMES, named)) throw new MillraceError('THEME_UNKNOWN', { theme: named })
  return THEMES[named]
}
