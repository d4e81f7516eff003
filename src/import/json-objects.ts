/**
 * The object of a line: each name with its value as a text, `null` for null. Numbers are as they are written, for a number of
 * JavaScript would lose digits; objects and lists are their JSON.
 * @returns undefined where the line is no JSON object
 */
export function objectOf(line: string): Map<string, string | null> | undefined {
  if (!isObject(line)) return undefined
  // It is JSON from here on: all that is left is to find where each part ends.
  const members = new Map<string, string | null>()
  for (let at = spaceEnd(line, line.indexOf('{') + 1); line[at] !== '}';) {
    const nameEnd = stringEnd(line, at)
    const name = JSON.parse(line.slice(at, nameEnd)) as string
    const from = spaceEnd(line, spaceEnd(line, nameEnd) + 1)
    const to = valueEnd(line, from)
    const text = line.slice(from, to)
    members.set(name, text === 'null' ? null : text.startsWith('"') ? (JSON.parse(text) as string) : text)
    at = spaceEnd(line, to)
    if (line[at] === ',') at = spaceEnd(line, at + 1)
  }
  return members
}

function isObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

function spaceEnd(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\r') at++
  return at
}

/** @param from the opening quote */
function stringEnd(text: string, from: number): number {
  let at = from + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function valueEnd(text: string, from: number): number {
  if (text[from] === '"') return stringEnd(text, from)
  let at = from
  if (text[from] !== '{' && text[from] !== '[') {
    while (!' \t\r,}'.includes(text[at]!)) at++
    return at
  }
  let depth = 0
  do {
    const character = text[at]
    if (character === '"') at = stringEnd(text, at)
    else {
      if (character === '{' || character === '[') depth++
      else if (character === '}' || character === ']') depth--
      at++
    }
  } while (depth > 0)
  return at
}
