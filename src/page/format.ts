/** Numbers as the page shows them. */

/** Made once: `toLocaleString` looks for its language every time. */
const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

export function count(value: number): string {
  if (value >= 1e9) return `${digits(value / 1e9)} G`
  if (value >= 1e6) return `${digits(value / 1e6)} M`
  if (value >= 1e4) return `${digits(value / 1e3)} k`
  return value >= 100 || Number.isInteger(value) ? WHOLE.format(Math.round(value)) : digits(value)
}

export function rate(perSecond: number): string {
  return `${count(perSecond)}/s`
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

/** Milliseconds in the unit that reads best. */
export function duration(ms: number): string {
  if (ms === 0) return '0'
  if (ms < 0.001) return `${digits(ms * 1e6)} ns`
  if (ms < 1) return `${digits(ms * 1e3)} µs`
  if (ms < 1e3) return `${digits(ms)} ms`
  return ms < 60e3 ? `${digits(ms / 1e3)} s` : `${digits(ms / 60e3)} min`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

export function elapsed(ms: number): string {
  const s = Math.floor(ms / 1000)
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`
  return value < 1048576 ? `${digits(value / 1024)} KiB` : `${digits(value / 1048576)} MiB`
}

export function clock(time: number): string {
  return new Date(time).toLocaleTimeString('en-GB')
}

function digits(value: number): string {
  return String(Number(value.toPrecision(3)))
}
