/** One word for each thing: in the names that src exports, in docs/vocabulary.md, and in what users read. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { EVENTS, ERROR_CODES } from 'millrace'
import { PROBLEMS } from '#src/analysis/problems.js'
import { optionsPage } from '../../scripts/print-options.js'
import { KNOWN_NAMES } from './known-names.js'

const root = new URL('../../../', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8')
const [words = '', unused = ''] = read('docs/vocabulary.md').split('## Words that users do not read')

/** The rows of a table in Markdown, without its head. */
function rowsOf(text: string): (readonly [left: string, right: string])[] {
  const rows = [...text.matchAll(/^\| (.+?) \| (.+) \|$/gm)].map(([, left = '', right = '']) => [left, right] as const)
  return rows.slice(1)
}

/** Every term with the row in which it is explained. */
const terms = rowsOf(words).flatMap(([left], row) => left.split(/, | \/ /).map((term) => ({ term, row })))

test('the vocabulary explains each term once', () => {
  const names = terms.map(({ term }) => term)
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  )
})

test('the vocabulary explains each term before another explanation uses it', () => {
  const early = rowsOf(words).flatMap(([left, meaning], row) => {
    const prose = meaning.replaceAll(/`[^`]*`/g, '')
    const later = terms.filter(
      (term) => term.row > row && new RegExp(`\\b${term.term.replaceAll(/[()]/g, '')}(s|es)?\\b`).test(prose),
    )
    return later.map(({ term }) => `${left}: ${term}`)
  })
  assert.deepEqual(early, [])
})

test('an exported name stands for one thing in src, but for those that are known', (t) => {
  const files = new Map<string, Set<string>>()
  for (const file of readdirSync(new URL('src', root), { recursive: true }) as string[]) {
    if (!file.endsWith('.ts')) continue
    const exports = /^export (?:abstract )?(?:async )?(?:function\*?|class|const|let|type|interface) (\w+)/gm
    for (const [, name = ''] of read(`src/${file}`).matchAll(exports)) {
      const where = files.get(name) ?? new Set()
      files.set(name, where.add(file))
    }
  }
  const several = [...files].filter(([, where]) => where.size > 1).map(([name]) => name)
  assert.deepEqual(
    several.filter((name) => !KNOWN_NAMES.includes(name)),
    [],
    'choose another name',
  )
  const gone = KNOWN_NAMES.filter((name) => !several.includes(name))
  if (gone.length > 0) t.diagnostic(`no longer among them, so to be taken off the list: ${gone.join(', ')}`)
})

/** What a page says: without its programs, and without names in code. */
function proseOf(page: string): string[] {
  return page
    .replaceAll(/^```[^]*?^```/gm, '')
    .replaceAll(/`[^`\n]*`/g, '')
    .split('\n')
}

/** The texts in a module: literals of more than one word, without the expressions and the names in code that they hold. */
function textsOf(module: string): string[] {
  const code = module.replaceAll(/\/\*[^]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
  const literals = [...code.matchAll(/'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g)]
  return literals
    .map(([, plain, template]) => (plain ?? template ?? '').replaceAll(/\$\{[^}]*\}|\\?`[^`]*`/g, '…'))
    .filter((text) => /[a-z] [a-z]/i.test(text))
}

/** The files below a folder that end like this, by path from the root. */
function filesBelow(folder: string, ending: string): string[] {
  return (readdirSync(new URL(folder, root), { recursive: true }) as string[])
    .filter((file) => file.endsWith(ending) && !file.startsWith('decisions/'))
    .map((file) => `${folder}/${file}`)
}

/** Pages about the insides of Millrace, and the one that is printed from declarations. */
const INSIDES = new Set(['docs/vocabulary.md', 'docs/protocol.md', 'docs/architecture.md', 'docs/api.md'])

/** Folders of src whose modules hold texts for users, beside those that are listed in tables. */
const FOLDERS = [
  'analysis',
  'cli',
  'connectors',
  'control',
  'flow',
  'flow-server',
  'import',
  'options',
  'page',
  'render',
  'sheet',
]

test('what users read has none of the words that the vocabulary replaces', () => {
  const pages = [...filesBelow('docs', '.md').filter((file) => !INSIDES.has(file)), 'README.md']
  const modules = FOLDERS.flatMap((folder) => filesBelow(`src/${folder}`, '.ts'))
  assert.ok(pages.length > 30 && modules.length > 100, 'pages and modules are found')
  const texts: Readonly<Record<string, readonly string[]>> = {
    'src/errors.ts': Object.values(ERROR_CODES).flatMap(({ text, fix }) => [text, fix]),
    'src/analysis/problems.ts': Object.values(PROBLEMS).flatMap(({ text, fix }) => [text, fix]),
    'src/supervisor/events.ts': Object.values(EVENTS).flatMap(({ text, fields }) => [text, ...Object.values(fields)]),
    'src/options': optionsPage().split('\n'),
    'src/page/index.html': read('src/page/index.html')
      .replaceAll(/<[^>]*>/g, '')
      .split('\n'),
    ...Object.fromEntries(pages.map((page) => [page, proseOf(read(page))])),
    ...Object.fromEntries(modules.map((module) => [module, textsOf(read(module))])),
  }
  const not = rowsOf(unused).flatMap(([left]) => left.split(', '))
  assert.ok(not.length > 10, 'the table of replaced words is read')
  const found = Object.entries(texts).flatMap(([file, lines]) =>
    lines.flatMap((line) =>
      not.filter((word) => new RegExp(`\\b${word}\\b`, 'i').test(line)).map((word) => `${file}: ${word}: ${line}`),
    ),
  )
  assert.deepEqual(found, [])
})
