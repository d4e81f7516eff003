/** Red, green and blue, 0 to 255. */
type Rgb = readonly [number, number, number]

const DARK = '#0f172a'
const LIGHT = '#ffffff'

/** The contrast that a text needs at least, by WCAG 2. */
export const READABLE = 4.5

/**
 * The text colour that reads better on a fill, by the contrast ratio of WCAG 2: a soft black or white, and a hard one where the
 * soft ones would be too weak. On a fill that is no hex colour: dark.
 */
export function textOn(fill: string): string {
  const better = (dark: string, light: string): string =>
    (contrast(light, fill) ?? 0) > (contrast(dark, fill) ?? 1) ? light : dark
  const soft = better(DARK, LIGHT)
  return (contrast(soft, fill) ?? READABLE) >= READABLE ? soft : better('#000000', LIGHT)
}

/** A colour as text on a fill: as it is where it can be read, else so far darker or lighter that it can be. */
export function readableOn(fill: string, color: string): string {
  const isReadable = (each: string): boolean => (contrast(each, fill) ?? READABLE) >= READABLE
  if (isReadable(color)) return color
  const end = textOn(fill)
  for (let share = 0.1; share < 1; share += 0.1) {
    const mixed = mixColors(color, end, share)
    if (isReadable(mixed)) return mixed
  }
  return end
}

/** The contrast ratio of two hex colours, 1 to 21; `undefined` where one is none. */
export function contrast(a: string, b: string): number | undefined {
  const [first, second] = [parse(a), parse(b)]
  return first === undefined || second === undefined ? undefined : contrastOf(first, second)
}

/** The colour at `share` (0 to 1) of the way from one hex colour to another; the first where one is none. */
export function mixColors(from: string, to: string, share: number): string {
  const [a, b] = [parse(from), parse(to)]
  if (a === undefined || b === undefined) return from
  const part = (index: 0 | 1 | 2): string =>
    Math.round(a[index] + (b[index] - a[index]) * share)
      .toString(16)
      .padStart(2, '0')
  return `#${part(0)}${part(1)}${part(2)}`
}

/** From idle to full: pale, then amber, then red. Readable without telling red from green, because it darkens on the way. */
const HEAT = ['#e0f2fe', '#fde68a', '#f97316', '#b91c1c']

/** The colour of a load from 0 to 1. */
export function heatColor(load: number): string {
  const place = (Number.isNaN(load) ? 0 : Math.min(1, Math.max(0, load))) * (HEAT.length - 1)
  const below = Math.min(HEAT.length - 2, Math.floor(place))
  return mixColors(HEAT[below] ?? LIGHT, HEAT[below + 1] ?? LIGHT, place - below)
}

function contrastOf(a: Rgb, b: Rgb): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

/** A channel as light, from its gamma-encoded value. */
function linear(value: number): number {
  const share = value / 255
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
}

function parse(color: string): Rgb | undefined {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})([0-9a-f]{2})?$/i.exec(color)?.[1]
  if (digits === undefined) return undefined
  const wide = digits.length === 3 ? digits.replaceAll(/./g, '$&$&') : digits
  return [0, 2, 4].map((at) => Number.parseInt(wide.slice(at, at + 2), 16)) as unknown as Rgb
}
