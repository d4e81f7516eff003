import { type HistogramCopy, upperEnd } from './histogram-read.ts'

type Labels = Readonly<Record<string, string | number>>

interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly lines: string[]
}

/** Metrics in the text format of Prometheus, 0.0.4. Units are base units, counters end in `_total`. */
export class Metrics {
  readonly #families = new Map<string, Family>()

  counter(name: string, help: string, labels: Labels, value: number): void {
    this.#family(name, 'counter', help).lines.push(sample(name, labels, value))
  }

  gauge(name: string, help: string, labels: Labels, value: number): void {
    this.#family(name, 'gauge', help).lines.push(sample(name, labels, value))
  }

  /**
   * @param bounds upper bounds of the buckets, rising, in the unit of the metric
   * @param scale what one of the histogram's own values is in that unit: 1e-9 for seconds
   */
  histogram(
    name: string,
    help: string,
    labels: Labels,
    copy: HistogramCopy,
    bounds: readonly number[],
    scale: number,
  ): void {
    const { lines } = this.#family(name, 'histogram', help)
    let [passed, at] = [0, 0]
    for (const bound of bounds) {
      // A bucket that reaches beyond the bound counts for the next one; buckets are 1 % wide.
      for (const limit = bound / scale; at < copy.counts.length && upperEnd(at) <= limit; at++)
        passed += copy.counts[at]!
      lines.push(sample(`${name}_bucket`, { ...labels, le: bound }, passed))
    }
    lines.push(
      sample(`${name}_bucket`, { ...labels, le: '+Inf' }, copy.total),
      sample(`${name}_sum`, labels, copy.sum * scale),
      sample(`${name}_count`, labels, copy.total),
    )
  }

  /** All of it, families in the order in which they were begun. */
  toString(): string {
    const families = [...this.#families].map(([name, { type, help, lines }]) =>
      [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines].join('\n'),
    )
    return `${families.join('\n')}\n`
  }

  #family(name: string, type: Family['type'], help: string): Family {
    const known = this.#families.get(name)
    if (known !== undefined) return known
    const family = { type, help, lines: [] }
    this.#families.set(name, family)
    return family
  }
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, label]) => `${key}="${escapeLabel(String(label))}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberOf(value)}`
}

function numberOf(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
