/** Writes the imports between folders into `docs/architecture.md`; the test of the architecture holds the page against them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { importsTable } from './sources.ts'

const file = fileURLToPath(new URL('../../docs/architecture.md', import.meta.url))
const table = /\| Floor \| Folder \| Imports \|\n(?:\|.*\|\n)*/
writeFileSync(file, readFileSync(file, 'utf8').replace(table, `${importsTable()}\n`))
