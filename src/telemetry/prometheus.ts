import { bucketOf, MOST_VALUE, upperEnd } from '../memory/histogram.ts'
import type { HistogramCopy } from './histogram-read.ts'

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
    const said = pairsOf(labels)
    const bucket = (bound: number | string, count: number): string =>
      `${name}_bucket{${[...said, `le="${bound}"`].join(',')}} ${count}`
    const last = bucketOf(copy.max)
    let [passed, at] = [0, bucketOf(copy.min)]
    for (const bound of bounds) {
      const end = Math.min(last, lastBelow(bound / scale))
      for (; at <= end; at++) passed += copy.counts[at]!
      lines.push(bucket(bound, passed))
    }
    lines.push(
      bucket('+Inf', copy.total),
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
  const pairs = pairsOf(labels)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberOf(value)}`
}

function pairsOf(labels: Labels): readonly string[] {
  return Object.entries(labels).map(([key, label]) => `${key}="${escapeLabel(String(label))}"`)
}

/** A bucket that reaches beyond the bound counts for the next one; buckets are 1 % wide. */
function lastBelow(bound: number): number {
  const index = bucketOf(Math.min(bound, MOST_VALUE))
  return upperEnd(index) <= bound ? index : index - 1
}

function numberOf(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
}

function escapeLabel(text: string): string {
  if (!/[\\"\n]/.test(text)) return text
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
