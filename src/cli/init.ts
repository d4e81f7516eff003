import { mkdir, readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MillraceError } from '../errors.ts'
import { LIBRARY_VERSION } from '../version.ts'
import { textOf, UsageError, type Command } from './command.ts'
import { writeTextFile } from './text-file.ts'

/** In the package, beside `dist`. */
const TEMPLATES = new URL('../../templates/', import.meta.url)
const KINDS = {
  service: 'a web service that does its work on every core',
  worker: 'a pipeline that takes files from a folder, and acks them',
  importer: 'CSV files into PostgreSQL',
} as const
type Kind = keyof typeof KINDS
/** A package leaves these names out or changes them, so the templates have them without their dot. */
const DOTTED: Readonly<Record<string, string>> = { gitignore: '.gitignore', dockerignore: '.dockerignore' }

export const initCommand: Command = {
  summary: 'Makes a project: TypeScript, tests, Dockerfile, and a Grafana dashboard.',
  usage: 'FOLDER [--kind service|worker|importer]',
  options: {
    kind: {
      type: 'string',
      value: 'KIND',
      text: `${Object.entries(KINDS)
        .map(([kind, text]) => `${kind} (${text})`)
        .join(', ')}. Default: service.`,
    },
    json: { type: 'boolean', text: 'Prints the result as JSON.' },
  },
  async run({ positionals, values, output }) {
    const [given, ...more] = positionals
    if (given === undefined || more.length > 0) throw new UsageError('Name one folder for the project.')
    const kind = kindOf(textOf(values, 'kind') ?? 'service')
    const folder = resolve(given)
    const name = nameOf(folder)
    await refuseIfFull(folder, given)
    const files = [...(await filesOf('common')), ...(await filesOf(kind))]
    for (const { path, text } of files) {
      await makeFolder(dirname(join(folder, path)))
      await writeTextFile(join(folder, path), filled(text, name), 'wx')
    }
    const paths = files.map(({ path }) => path).toSorted()
    output.print(
      values['json'] === true
        ? JSON.stringify({ name, kind, folder, files: paths }, undefined, 2)
        : `Made ${name}: ${KINDS[kind]}.\n\n  cd ${given}\n  npm install\n  npm test\n\nThen read README.md there; src/graph.ts is the pipeline.`,
    )
    return 0
  },
}

function kindOf(given: string): Kind {
  if (Object.hasOwn(KINDS, given)) return given as Kind
  throw new UsageError(`--kind takes ${Object.keys(KINDS).join(', ')}, not ${JSON.stringify(given)}.`)
}

/** A name that npm, Docker and the metrics take. */
function nameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z\d]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  if (name === '') throw new UsageError('The name of the folder becomes the name of the project: it needs a letter.')
  return name
}

async function refuseIfFull(folder: string, given: string): Promise<void> {
  let found: string[]
  try {
    found = await readdir(folder)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return
    throw new MillraceError('FILE_NOT_WRITTEN', { file: folder, reason: String(cause) }, { cause })
  }
  const own = found.filter((file) => file !== '.git')
  if (own.length > 0) {
    throw new UsageError(
      `${given} is not empty (${own.slice(0, 3).join(', ')}): name a new folder, nothing is overwritten.`,
    )
  }
}

async function filesOf(template: string): Promise<{ readonly path: string; readonly text: string }[]> {
  const root = fileURLToPath(new URL(`${template}/`, TEMPLATES))
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Promise.all(
    files.map(async (file) => {
      const path = relative(root, file)
      return { path: DOTTED[path] ?? path, text: await readFile(file, 'utf8') }
    }),
  )
}

function filled(text: string, name: string): string {
  return text.replaceAll('NAME', name).replaceAll('"MILLRACE"', JSON.stringify(`^${LIBRARY_VERSION}`))
}

/** @throws FILE_NOT_WRITTEN */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
  } catch (cause) {
    throw new MillraceError('FILE_NOT_WRITTEN', { file: folder, reason: String(cause) }, { cause })
  }
}
