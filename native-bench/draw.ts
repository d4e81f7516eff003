import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from './options.ts'
import type { SuiteRun } from './saved.ts'
import { figure } from './tables.ts'

/** A line of a picture: one saved file's points of one curve. */
interface Line {
  readonly label: string
  readonly points: readonly Point[]
}
interface Point {
  readonly x: number
  readonly y: number
  readonly least: number
  readonly most: number
}

const UNIT = 'ns CPU/record'
/** `CURVE: X UNIT, cpu` is how the suite `curves` names a point's cost. */
const POINT = /^(?<curve>[^:]+): (?<x>\d+) (?<xUnit>[^,]+), cpu$/

/** Draws the curves of saved files, one picture for each curve. @returns paths of the pictures */
export function drawCurves(files: readonly (readonly SuiteRun[])[], folder: string): string[] {
  const curves = new Map<string, { xUnit: string; lines: Line[] }>()
  for (const runs of files) {
    const run = runs.find(({ suite }) => suite === 'curves')
    if (run === undefined) throw new UsageError('A saved file holds no suite `curves`: there is nothing to draw.')
    for (const [curve, { xUnit, points }] of pointsOf(run)) {
      if (!curves.has(curve)) curves.set(curve, { xUnit, lines: [] })
      curves.get(curve)!.lines.push({ label: `${run.machine.commit}, ${run.machine.date}`, points })
    }
  }
  mkdirSync(folder, { recursive: true })
  return [...curves].map(([curve, { xUnit, lines }]) => {
    const path = join(folder, `cost-by-${curve.replaceAll(' ', '-')}.svg`)
    writeFileSync(path, svg(`CPU time of a record by ${curve}`, xUnit, lines))
    return path
  })
}

function pointsOf({ results }: SuiteRun): Map<string, { xUnit: string; points: Point[] }> {
  const curves = new Map<string, { xUnit: string; points: Point[] }>()
  for (const { name, unit, median, min, max } of results) {
    const { curve, x, xUnit } = POINT.exec(name)?.groups ?? {}
    if (curve === undefined || unit !== UNIT || median === null) continue
    if (!curves.has(curve)) curves.set(curve, { xUnit: xUnit!, points: [] })
    curves.get(curve)!.points.push({ x: Number(x), y: median, least: min!, most: max! })
  }
  return curves
}

const WIDTH = 640
const HEIGHT = 360
const LEFT = 76
const RIGHT = 24
const TOP = 48
const BOTTOM = 56
/** Told apart on light and on dark paper, and by those who see few colours. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7']

/** A line picture: x in doublings, y from 0; whiskers from the least to the most of the rounds. */
function svg(title: string, xUnit: string, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points)
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b)
  const [first, last] = [Math.log2(xs[0]!), Math.log2(xs.at(-1)!)]
  const step = niceStep(Math.max(...points.map(({ most }) => most)) / 5)
  const top = step * Math.ceil(Math.max(...points.map(({ most }) => most)) / step)
  const across = (x: number): number =>
    round(LEFT + ((Math.log2(x) - first) / (last - first || 1)) * (WIDTH - LEFT - RIGHT))
  const down = (y: number): number => round(HEIGHT - BOTTOM - (y / top) * (HEIGHT - TOP - BOTTOM))
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step)
  const grid = ticks.map(
    (y) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${down(y)}" y2="${down(y)}" stroke="#8888" stroke-width="0.5"/>` +
      `<text x="${LEFT - 8}" y="${down(y) + 4}" text-anchor="end">${figure(y)}</text>`,
  )
  const labels = xs.map(
    (x) => `<text x="${across(x)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${figure(x)}</text>`,
  )
  const drawn = lines.map(({ label, points }, i) => {
    const color = COLORS[i % COLORS.length]!
    const path = points.map(({ x, y }) => `${across(x)},${down(y)}`).join(' ')
    const marks = points.map(
      ({ x, y, least, most }) =>
        `<line x1="${across(x)}" x2="${across(x)}" y1="${down(least)}" y2="${down(most)}" stroke="${color}"/>` +
        `<circle cx="${across(x)}" cy="${down(y)}" r="3.5" fill="${color}"/>`,
    )
    const key = `<text x="${WIDTH - RIGHT}" y="${TOP - 8 + 16 * i}" text-anchor="end" fill="${color}">${label}</text>`
    return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>${marks.join('')}${key}`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img" aria-label="${title}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="24" font-size="15">${title}</text>`,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${xUnit}</text>`,
    `<text x="16" y="${HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 16 ${HEIGHT / 2})">${UNIT}</text>`,
    ...grid,
    ...labels,
    ...drawn,
    '</svg>',
    '',
  ].join('\n')
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(about: number): number {
  const power = 10 ** Math.floor(Math.log10(about))
  return power * ([1, 2, 5, 10].find((step) => step * power >= about) ?? 10)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
