const DARK = '#0f172a'
const LIGHT = '#ffffff'
/** The text colour that reads better on a fill, by the contrast ratio of WCAG 2. On a fill that is no hex colour: dark. */
export function textOn(fill) {
  const rgb = parse(fill)
  if (rgb === undefined) return DARK
  return contrastOf(rgb, [255, 255, 255]) > contrastOf(rgb, [15, 23, 42]) ? LIGHT : DARK
}
/** The contrast ratio of two hex colours, 1 to 21; `undefined` where one is none. */
export function contrast(a, b) {
  const [first, second] = [parse(a), parse(b)]
  return first === undefined || second === undefined ? undefined : contrastOf(first, second)
}
/** The colour at `share` (0 to 1) of the way from one hex colour to another; the first where one is none. */
export function mix(from, to, share) {
  const [a, b] = [parse(from), parse(to)]
  if (a === undefined || b === undefined) return from
  const part = (index) =>
    Math.round(a[index] + (b[index] - a[index]) * share)
      .toString(16)
      .padStart(2, '0')
  return `#${part(0)}${part(1)}${part(2)}`
}
/** From idle to full: pale, then amber, then red. Readable without telling red from green, because it darkens on the way. */
const HEAT = ['#e0f2fe', '#fde68a', '#f97316', '#b91c1c']
/** The colour of a load from 0 to 1. */
export function heatColor(load) {
  const place = Math.min(1, Math.max(0, load)) * (HEAT.length - 1)
  const below = Math.min(HEAT.length - 2, Math.floor(place))
  return mix(HEAT[below] ?? LIGHT, HEAT[below + 1] ?? LIGHT, place - below)
}
function contrastOf(a, b) {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (high + 0.05) / (low + 0.05)
}
function luminance([red, green, blue]) {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}
/** A channel as light, from its gamma-encoded value. */
function linear(value) {
  const share = value / 255
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
}
function parse(color) {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})([0-9a-f]{2})?$/i.exec(color)?.[1]
  if (digits === undefined) return undefined
  const wide = digits.length === 3 ? digits.replaceAll(/./g, '$&$&') : digits
  return [0, 2, 4].map((at) => Number.parseInt(wide.slice(at, at + 2), 16))
}
