import { upperEnd } from './histogram-read.js'
/** Metrics in the text format of Prometheus, 0.0.4. Units are base units, counters end in `_total`. */
export class Metrics {
  #families = new Map()
  counter(name, help, labels, value) {
    this.#family(name, 'counter', help).lines.push(sample(name, labels, value))
  }
  gauge(name, help, labels, value) {
    this.#family(name, 'gauge', help).lines.push(sample(name, labels, value))
  }
  /**
   * @param bounds upper bounds of the buckets, rising, in the unit of the metric
   * @param scale what one of the histogram's own values is in that unit: 1e-9 for seconds
   */
  histogram(name, help, labels, copy, bounds, scale) {
    const { lines } = this.#family(name, 'histogram', help)
    let [passed, at] = [0, 0]
    for (const bound of bounds) {
      // A bucket that reaches beyond the bound counts for the next one; buckets are 1 % wide.
      for (const limit = bound / scale; at < copy.counts.length && upperEnd(at) <= limit; at++)
        passed += copy.counts[at]
      lines.push(sample(`${name}_bucket`, { ...labels, le: bound }, passed))
    }
    lines.push(
      sample(`${name}_bucket`, { ...labels, le: '+Inf' }, copy.total),
      sample(`${name}_sum`, labels, copy.sum * scale),
      sample(`${name}_count`, labels, copy.total),
    )
  }
  /** All of it, families in the order in which they were begun. */
  toString() {
    const families = [...this.#families].map(([name, { type, help, lines }]) =>
      [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines].join('\n'),
    )
    return `${families.join('\n')}\n`
  }
  #family(name, type, help) {
    const known = this.#families.get(name)
    if (known !== undefined) return known
    const family = { type, help, lines: [] }
    this.#families.set(name, family)
    return family
  }
}
function sample(name, labels, value) {
  const pairs = Object.entries(labels).map(([key, label]) => `${key}="${escapeLabel(String(label))}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberOf(value)}`
}
function numberOf(value) {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
}
function escapeLabel(text) {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
function escapeHelp(text) {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
