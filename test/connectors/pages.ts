import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

/** The page of a connector shows its example as it is. */
export function assertShown(connector: string): void {
  const root = new URL('../../../', import.meta.url)
  const page = readFileSync(new URL(`docs/connectors/${connector}.md`, root), 'utf8')
  const example = readFileSync(new URL(`examples/connectors/${connector}.ts`, root), 'utf8')
  assert.ok(
    page.includes(`\`\`\`ts\n${example}\`\`\``),
    `docs/connectors/${connector}.md shows examples/connectors/${connector}.ts`,
  )
}
