/** Names that PostgreSQL takes, and a person types without quotes. */

/** PostgreSQL cuts longer names off. */
const MAX_NAME_BYTES = 63

/** `Cost Total $` becomes `cost_total`, `us-employment.csv` becomes `us_employment`. */
export function tableName(title: string): string {
  const words = title
    .replace(/\.csv$/i, '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  // A digit needs quotes, and `pg_…` may be a table of the server's own.
  return (/^(?:\d|pg_)/.test(words) ? `_${words}` : words).slice(0, MAX_NAME_BYTES)
}

/** Numbers names that come again, or are taken: `a`, `a_2`, `a_3`. */
export function uniqueNames(names: readonly string[], taken: readonly string[]): string[] {
  const used = new Set(taken)
  return names.map((given) => {
    const name = given === '' ? 'table' : given
    let unique = name
    for (let count = 2; used.has(unique); count++) {
      const suffix = `_${count}`
      unique = name.slice(0, MAX_NAME_BYTES - suffix.length) + suffix
    }
    used.add(unique)
    return unique
  })
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
