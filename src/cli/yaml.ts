/** What a document of YAML may hold here. */
export type YamlValue =
  | string
  | number
  | boolean
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue | undefined }

/** A document in block style. Texts that YAML could take for something else are quoted. */
export function toYaml(value: YamlValue): string {
  return linesOf(value).join('\n') + '\n'
}

function linesOf(value: YamlValue): readonly string[] {
  if (Array.isArray(value)) return value.length === 0 ? ['[]'] : value.flatMap(item)
  if (typeof value !== 'object') return [scalar(value)]
  const entries = Object.entries(value).filter((entry): entry is [string, YamlValue] => entry[1] !== undefined)
  return entries.length === 0 ? ['{}'] : entries.flatMap(([key, inner]) => entry(key, inner))
}

function entry(key: string, value: YamlValue): readonly string[] {
  const lines = linesOf(value)
  if (!isBlock(value)) return [`${scalar(key)}: ${lines[0]}`]
  return [`${scalar(key)}:`, ...lines.map((line) => `  ${line}`)]
}

function item(value: YamlValue): readonly string[] {
  const [first, ...more] = linesOf(value)
  return [`- ${first}`, ...more.map((line) => `  ${line}`)]
}

function isBlock(value: YamlValue): boolean {
  if (typeof value !== 'object') return false
  return Object.values(value).some((inner) => inner !== undefined)
}

const PLAIN = /^[A-Za-z_/.][\w./@-]*(?: [\w./@-]+)*$/
const WORDS = /^(?:true|false|yes|no|on|off|null|y|n|~)$/i

function scalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value)
  return PLAIN.test(value) && !WORDS.test(value) ? value : JSON.stringify(value)
}
